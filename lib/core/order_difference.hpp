#ifndef ORDERPROC_CORE_ORDER_DIFFERENCE_HPP
#define ORDERPROC_CORE_ORDER_DIFFERENCE_HPP

// Says to people in what two orders differ. Inline: the conformance cases are another library.

#include <orderproc/order.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

inline std::string show(std::string_view text) {
    constexpr std::size_t shown = 60;
    std::string out = "\"";
    for (const char c : text.substr(0, shown)) out += c == '\n' ? ' ' : c;  // keeps to one line
    out += '"';
    if (text.size() > shown) out += "… (" + std::to_string(text.size()) + " bytes)";
    return out;
}
inline std::string show(const std::string& text) {
    return show(std::string_view(text));
}
inline std::string show(const char* text) {
    return show(std::string_view(text));
}
inline std::string show(bool value) {
    return value ? "true" : "false";
}
template <std::integral T>
std::string show(T value) {
    return std::to_string(value);
}
inline std::string show(timestamp value) {
    return to_string(value);
}
inline std::string show(std::chrono::milliseconds value) {
    return std::to_string(value.count()) + " ms";
}
inline std::string show(const order_status& value) {
    return value.view().empty() ? "no status" : std::string(value.view());
}
inline std::string show(order_version value) {
    return std::to_string(static_cast<std::uint64_t>(value));
}
inline std::string show(const order_id& value) {
    return std::string(value.view());
}
inline std::string show(const money& value) {
    return std::to_string(value.minor_units) + " minor units of " +
           std::string(value.currency.view());
}
inline std::string show(const std::vector<std::int64_t>& values) {
    std::string out = std::to_string(values.size()) + " items";
    for (std::size_t i = 0; i < values.size() && i < 5; ++i) {
        out += (i == 0 ? ": " : ", ") + std::to_string(values[i]);
    }
    return out;
}
inline std::string show(const std::vector<order_line>& values) {
    std::string out = std::to_string(values.size()) + " lines";
    for (std::size_t i = 0; i < values.size() && i < 5; ++i) {
        out += (i == 0 ? ": " : ", ") + std::to_string(values[i].quantity) + " of " +
               show(values[i].sku);
    }
    return out;
}
inline std::string show(const std::vector<order_attribute>& values) {
    std::string out = std::to_string(values.size()) + " attributes";
    for (std::size_t i = 0; i < values.size() && i < 5; ++i) {
        out += (i == 0 ? ": " : ", ") + values[i].name;
    }
    return out;
}
template <class T>
std::string show(const std::optional<T>& value) {
    return value ? show(*value) : "none";
}

// "status: expected PENDING, found FAILED" of the first field that differs; empty if none.
inline std::string order_difference(const order& expected, const order& found) {
    std::string out;
    const auto compare = [&](const char* field, const auto& want, const auto& is) {
        if (!out.empty() || want == is) return;
        out = std::string(field) + ": expected " + show(want) + ", found " + show(is);
    };
    compare("id", expected.id, found.id);
    compare("number", expected.number, found.number);
    compare("version", expected.version, found.version);
    compare("status", expected.status, found.status);
    compare("user", expected.user, found.user);
    compare("item_ids", expected.item_ids, found.item_ids);
    compare("lines", expected.lines, found.lines);
    compare("total_amount", expected.total_amount, found.total_amount);
    compare("metadata", expected.metadata, found.metadata);
    compare("tenant", expected.tenant, found.tenant);
    compare("attributes", expected.attributes, found.attributes);
    compare("annotations", expected.annotations, found.annotations);
    compare("attempts", expected.attempts, found.attempts);
    compare("next_attempt_at", expected.next_attempt_at, found.next_attempt_at);
    compare("last_error", expected.last_error, found.last_error);
    compare("created_at", expected.created_at, found.created_at);
    compare("updated_at", expected.updated_at, found.updated_at);
    compare("first_claimed_at", expected.first_claimed_at, found.first_claimed_at);
    compare("settled_at", expected.settled_at, found.settled_at);
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
