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
#include <variant>
#include <vector>

namespace orderproc {
inline namespace v1 {

// The name of an order: UTF-8 of 1 to size_max bytes, and of at most encoded_size_max bytes when it
// is percent-encoded (RFC 3986). It has no control characters, no line or paragraph separators
// (U+2028, U+2029) and no characters that change the direction of text; it neither begins nor ends
// with a space, does not begin with "~", and is not ".", "..", "batch" or "status". Two ids are the
// same if their bytes are.
class ORDERPROC_EXPORT order_id {
public:
    static constexpr std::size_t size_max = 128;
    static constexpr std::size_t encoded_size_max = 200;
    static constexpr std::size_t plain_size_max = 64;

    order_id() = default;                                  // no id: empty
    static result<order_id> parse(std::string_view text);  // errc::invalid_argument

    // "ORD-" and a ULID (github.com/ulid/spec): 48 bits of time, then 80 random bits, in
    // Crockford's base 32, so that ids sort by the millisecond in which they were made.
    static order_id make(timestamp now, std::uint64_t random_high, std::uint64_t random_low);

    std::string_view view() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    // [A-Za-z0-9][A-Za-z0-9._:-]{0,63}: the ids that new orders may have.
    bool is_plain() const noexcept;
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

// A product, and how often it was ordered.
struct order_line {
    static constexpr std::size_t sku_size_max = 64;
    static constexpr std::size_t name_size_max = 256;
    static constexpr std::int64_t quantity_max = 1'000'000;

    std::string sku;            // 1 to sku_size_max bytes of UTF-8 without control characters
    std::int64_t quantity = 1;  // 1 to quantity_max
    std::optional<amount> unit_amount = {};  // in the order's currency; 0 to money::minor_units_max
    std::string name = {};  // for people: at most name_size_max bytes, as sku; empty: none

    friend bool operator==(const order_line&, const order_line&) = default;
};

// A text, an integer, a truth value, a time, or an amount in the order's currency.
using attribute_value = std::variant<std::string, std::int64_t, bool, timestamp, amount>;

struct order_attribute {
    static constexpr std::size_t name_size_max = 32;
    static constexpr std::size_t text_size_max = 1024;

    std::string name;       // [a-z][a-z0-9_]{0,31}
    attribute_value value;  // a text: at most text_size_max bytes, as order_line::sku

    friend bool operator==(const order_attribute&, const order_attribute&) = default;
};

// What whoever places an order says, and may edit until work on it has begun. See validate().
struct order_content {
    static constexpr std::size_t items_max = 1000;
    static constexpr std::size_t user_size_max = 64;
    static constexpr std::size_t tenant_size_max = 64;
    static constexpr std::size_t attributes_max = 32;
    static constexpr std::size_t metadata_size_max = std::size_t{16} * 1024;

    std::string user;  // who ordered: an integer in decimal form, or any text; empty: a guest
    // The short form of lines: each id is one piece of the item whose SKU is the id in decimal
    // form; an id that is repeated is ordered so often. Either item_ids or lines is empty.
    std::vector<std::int64_t> item_ids;
    std::vector<order_line> lines;
    money total_amount;
    std::string metadata = "{}";              // a JSON object, which is kept as it is
    std::string tenant;                       // whose shop it is; empty: there are no tenants
    std::vector<order_attribute> attributes;  // ascending by name, each name once
    // A JSON object like metadata; empty: none. Unlike it, it changes in every status.
    std::string annotations;

    friend bool operator==(const order_content&, const order_content&) = default;
};

// An order as it is sent: to be submitted, or to replace the content of one that is there.
struct order_draft : order_content {
    // Submitted without an id, the order gets one. An edit changes no id: it is empty or the
    // order's own.
    order_id id;
    // Of an order that is submitted: work on it begins no earlier. It needs an initial status in
    // which orders wait for a worker; an edit ignores it.
    std::optional<timestamp> not_before = {};

    friend bool operator==(const order_draft&, const order_draft&) = default;
};

// An order as it is stored.
struct order : order_content {
    std::int64_t number = 0;  // "id" on the wire: given by the storage, grows with creation
    order_id id;              // "order_id"
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

// Whose orders somebody may see and change, or asks for. What is left out is anybody's.
struct order_scope {
    std::optional<std::string> user = {};    // the orders of this user; empty text: of guests
    std::optional<std::string> tenant = {};  // the orders of this tenant

    bool admits(const order_content& it) const noexcept {
        return (!user || *user == it.user) && (!tenant || *tenant == it.tenant);
    }
    bool everybody() const noexcept { return !user && !tenant; }
    friend bool operator==(const order_scope&, const order_scope&) = default;
};

// What every stored order keeps. Its items are 1 to items_max ids of 1 or more, or as many lines;
// the user and the tenant are UTF-8 without control characters of at most user_size_max and
// tenant_size_max bytes; the total is 0 to money::minor_units_max in a currency of ISO 4217; lines
// and attributes are as they say. metadata is one JSON object (RFC 8259, UTF-8) of at most
// metadata_size_max bytes that any reader of JSON takes: it nests at most 31 deep; within an object
// no name stands twice; no string contains U+0000; a number has at most 128 characters and an
// exponent of at most three digits, and is not beyond the range of a double. So are annotations,
// unless they are empty. errc::invalid_argument, naming the field.
ORDERPROC_EXPORT result<void> validate(const order_content& value);

}  // namespace v1
}  // namespace orderproc

#endif
