#include "core/json_reader.hpp"
#include "core/order_rules.hpp"

#include <orderproc/order.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::string_view ulid_prefix = "ORD-";
constexpr std::size_t ulid_size = 26;
constexpr std::int64_t ulid_time_max = (std::int64_t{1} << 48) - 1;

// Crockford's base 32, the highest digit first.
char* put_base32(char* out, std::uint64_t value, int digits) noexcept {
    constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    static_assert(alphabet.size() == 32);
    for (int i = digits - 1; i >= 0; --i) *out++ = alphabet[(value >> (5 * i)) & 31];
    return out;
}

constexpr bool is_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_order_id(std::string_view text) noexcept {
    if (text.empty() || text.size() > order_id::size_max || !is_alphanumeric(text[0])) return false;
    for (const char c : text) {
        if (!is_alphanumeric(c) && c != '.' && c != '_' && c != ':' && c != '-') return false;
    }
    return text != "batch" && text != "status";
}

failure invalid(std::string detail) {
    return {errc::invalid_argument, std::move(detail)};
}

}  // namespace

result<order_id> order_id::parse(std::string_view text) {
    if (!is_order_id(text)) return errc::invalid_argument;
    return order_id(text);
}

order_id order_id::make(timestamp now, std::uint64_t random_high, std::uint64_t random_low) {
    const auto time = static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(now.time_since_epoch().count(), 0, ulid_time_max));
    constexpr std::uint64_t low_40 = (std::uint64_t{1} << 40) - 1;
    std::array<char, ulid_prefix.size() + ulid_size> text;
    std::memcpy(text.data(), ulid_prefix.data(), ulid_prefix.size());
    char* at = put_base32(text.data() + ulid_prefix.size(), time, 10);
    at = put_base32(at, ((random_high & 0xFFFF) << 24) | (random_low >> 40), 8);
    put_base32(at, random_low & low_40, 8);
    return order_id({text.data(), text.size()});
}

result<void> validate(const order& value) {
    return detail::validate_fields(value.user_id, value.item_ids, value.total_amount,
                                   value.metadata);
}

namespace detail {

namespace {

result<void> validate_metadata(std::string_view text) {
    if (text == "{}") return {};
    if (text.size() > order::metadata_size_max) {
        return invalid("metadata must have at most " + std::to_string(order::metadata_size_max) +
                       " bytes");
    }
    json_reader from(text, metadata_levels);
    if (from.next() != json_kind::object) return invalid("metadata must be a JSON object");
    const kept_json found = from.keep(order::metadata_size_max);
    from.finish();
    if (from.failed()) {
        const json_fault fault = from.fault();
        return invalid("metadata must be a JSON object; at line " + std::to_string(fault.line) +
                       ", column " + std::to_string(fault.column) + ": " + fault.detail);
    }
    if (found.breach == json_breach::none) return {};
    return invalid("metadata, at byte " + std::to_string(found.where - text.data()) + ", " +
                   std::string(rule_of(found.breach)));
}

}  // namespace

std::string_view rule_of(json_breach breach) noexcept {
    static_assert(order::metadata_size_max == 16'384);
    static_assert(json_reader::number_size_max == 128 && json_reader::exponent_digits_max == 3);
    switch (breach) {
        case json_breach::none:
            return {};
        case json_breach::too_large:
            return "must be at most 16384 bytes";
        case json_breach::number:
            return "must be a number of at most 128 characters, with an exponent of at most three "
                   "digits, that a double can hold: send others as a string";
        case json_breach::character:
            return "must not contain the character U+0000";
    }
    return {};
}

result<void> validate_fields(std::int64_t user_id, std::span<const std::int64_t> item_ids,
                             const money& total, std::string_view metadata) {
    if (user_id < 1) return invalid("user_id must be 1 or more");
    if (item_ids.empty() || item_ids.size() > order::items_max) {
        return invalid("item_ids must have 1 to " + std::to_string(order::items_max) + " entries");
    }
    const auto bad =
        std::find_if(item_ids.begin(), item_ids.end(), [](std::int64_t id) { return id < 1; });
    if (bad != item_ids.end()) {
        return invalid("item_ids[" + std::to_string(bad - item_ids.begin()) +
                       "] must be 1 or more");
    }
    if (total.minor_units < 0 || total.minor_units > money::minor_units_max) {
        return invalid("total_amount must be 0 to " + std::to_string(money::minor_units_max) +
                       " minor units");
    }
    if (!currency_decimals(total.currency.view())) {
        return invalid("currency of total_amount is not in ISO 4217");
    }
    return validate_metadata(metadata);
}

}  // namespace detail

}  // namespace v1
}  // namespace orderproc
