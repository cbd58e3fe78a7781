#ifndef ORDERPROC_ORDER_HPP
#define ORDERPROC_ORDER_HPP

// The order and the words that the rest of the library uses to talk about it.

#include <orderproc/error.hpp>
#include <orderproc/money.hpp>
#include <orderproc/timestamp.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// [A-Za-z0-9][A-Za-z0-9._:-]{0,63}, but not "batch" or "status", which are routes.
class ORDERPROC_EXPORT order_id {
public:
    static constexpr std::size_t size_max = 64;
    static result<order_id> parse(std::string_view text);  // errc::invalid_argument

    // "ORD-" and a ULID (github.com/ulid/spec): 48 bits of time, then 80 random bits, in
    // Crockford's base 32, so that ids sort by the millisecond in which they were made.
    static order_id make(timestamp now, std::uint64_t random_high, std::uint64_t random_low);

    std::string_view view() const noexcept { return text_; }
    friend auto operator<=>(const order_id&, const order_id&) = default;

private:
    explicit order_id(std::string_view text) : text_(text) {}
    std::string text_;
};

// A status is a short name held inline: [A-Z][A-Z0-9_]{0,22}. Adapters store it as text, so
// an application adds a status without touching any adapter.
class order_status {
public:
    static constexpr std::size_t size_max = 23;

    constexpr order_status() = default;  // no status: empty
    consteval order_status(const char* text) : order_status(checked(std::string_view(text))) {}
    static result<order_status> parse(std::string_view text) {  // errc::invalid_argument
        if (!valid(text)) return errc::invalid_argument;
        return order_status(text, 0);
    }

    constexpr std::string_view view() const noexcept { return {text_.data(), size_}; }
    friend constexpr bool operator==(const order_status&, const order_status&) = default;
    friend constexpr auto operator<=>(const order_status&, const order_status&) = default;

private:
    static constexpr bool valid(std::string_view text) noexcept {
        if (text.empty() || text.size() > size_max || text[0] < 'A' || text[0] > 'Z') return false;
        for (const char c : text) {
            if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_') return false;
        }
        return true;
    }
    static consteval order_status checked(std::string_view text) {
        if (!valid(text)) throw "a status is [A-Z][A-Z0-9_]{0,22}";
        return order_status(text, 0);
    }
    constexpr order_status(std::string_view text, int) noexcept {
        for (const char c : text) text_[size_++] = c;
    }

    std::array<char, size_max> text_{};
    std::uint8_t size_ = 0;
};

enum class order_version : std::uint64_t {};  // 1 when created, +1 per change of the order

struct order {
    static constexpr std::size_t items_max = 1000;
    static constexpr std::size_t metadata_size_max = 16 * 1024;

    std::int64_t number = 0;     // "id" on the wire: given by the storage, grows with creation
    std::optional<order_id> id;  // "order_id": the client's or made by lower(); set once stored
    std::int64_t user_id = 0;    // 1 or more
    std::vector<std::int64_t> item_ids;  // 1 to items_max, each 1 or more; repeats are quantities
    money total_amount;
    std::string metadata = "{}";  // a JSON object, kept as it is: see validate()
    order_status status;
    order_version version{1};
    std::uint32_t attempts = 0;  // counted at the claim, since it entered its stage or was retried
    std::optional<timestamp> next_attempt_at;  // none: nothing to wait for
    std::string last_error;
    timestamp created_at;
    timestamp updated_at;
    std::optional<timestamp> first_claimed_at;
    std::optional<timestamp> settled_at;  // since when nothing more happens by itself

    friend bool operator==(const order&, const order&) = default;
};

// What every stored order keeps: user_id, item_ids and total_amount are within their bounds, and
// metadata is one JSON object (RFC 8259, UTF-8) of at most metadata_size_max bytes that any reader
// of JSON takes. It nests at most 31 deep; within an object no name stands twice; no string
// contains U+0000; a number has at most 128 characters and an exponent of at most three digits,
// and is not beyond the range of a double. errc::invalid_argument, naming the field.
ORDERPROC_EXPORT result<void> validate(const order& value);

}  // namespace v1
}  // namespace orderproc

#endif
