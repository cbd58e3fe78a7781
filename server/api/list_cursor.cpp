// Positions in lists as texts for clients.

#include "api/list_query.hpp"
#include "http/base64url.hpp"

#include <cstdint>
#include <limits>
#include <utility>

namespace orderproc::server {

namespace {

// A cursor is its version, what its list is sorted by of the last order, and a checksum.
constexpr char cursor_version = 1;
constexpr std::size_t integer_size = 8;
static_assert(index_entry::value_size_max >= order_id::size_max);
constexpr std::size_t cursor_size_max =
    (1 + integer_size + index_entry::value_size_max + integer_size) * 4 / 3 + 1;

// FNV-1a (draft-eastlake-fnv) of the parts, each closed by a byte that none contains, with
// SplitMix64's finish to spread the last bits.
class checksum {
public:
    void add(std::uint64_t value) noexcept {
        for (int shift = 0; shift < 64; shift += 8)
            add_byte(static_cast<std::uint8_t>(value >> shift));
    }
    void add(std::string_view text) noexcept {
        for (const char c : text) add_byte(static_cast<std::uint8_t>(c));
        add_byte(0xff);
    }
    void add_optional(const std::optional<std::string>& value) noexcept {
        add_byte(value ? 1 : 0);
        if (value) add(std::string_view(*value));
    }
    void add_optional(const std::optional<timestamp>& value) noexcept {
        add_byte(value ? 1 : 0);
        if (value) add(static_cast<std::uint64_t>(value->time_since_epoch().count()));
    }
    std::uint64_t value() const noexcept {
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

private:
    void add_byte(std::uint8_t byte) noexcept { state_ = (state_ ^ byte) * 0x100000001b3U; }
    std::uint64_t state_ = 0xcbf29ce484222325U;
};

// What a list without a prefix, sorted by creation, does not have is left out, so that cursors of
// servers which had nothing else go on.
checksum checksum_of(const list_query& of) noexcept {
    checksum sum;
    for (const order_status& it : of.statuses) sum.add(it.view());
    sum.add_optional(of.scope.user);
    sum.add_optional(of.scope.tenant);
    sum.add_optional(of.created_from);
    sum.add_optional(of.created_until);
    sum.add(std::uint64_t{of.descending});
    if (of.sort != list_sort::created_at || !of.id_prefix.empty() || of.updated_from) {
        sum.add(static_cast<std::uint64_t>(of.sort));
        sum.add(std::string_view(of.id_prefix));
        sum.add_optional(of.updated_from);
    }
    if (of.index) {
        sum.add(std::uint64_t{of.index->slot});
        sum.add(std::uint64_t{of.index->from.size()});
        sum.add(std::string_view(of.index->from));
        sum.add(std::string_view(of.index->to));
    }
    return sum;
}

void put(std::uint64_t value, std::string& to) {
    for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<char>(value >> shift));
}

std::uint64_t get(std::string_view from) noexcept {
    std::uint64_t value = 0;
    for (const char c : from.substr(0, integer_size)) {
        value = value << 8 | static_cast<std::uint8_t>(c);
    }
    return value;
}

std::string make(const list_query& of, std::uint64_t first, std::uint64_t second) {
    checksum sum = checksum_of(of);
    sum.add(first);
    sum.add(second);
    std::string bytes(1, cursor_version);
    put(first, bytes);
    put(second, bytes);
    put(sum.value(), bytes);
    return http::to_base64url(bytes);
}

std::string make(const list_query& of, std::string_view id) {
    checksum sum = checksum_of(of);
    sum.add(id);
    std::string bytes(1, cursor_version);
    bytes.append(id);
    put(sum.value(), bytes);
    return http::to_base64url(bytes);
}

std::string make(const list_query& of, std::string_view value, std::uint64_t number) {
    std::string content;
    put(number, content);
    content.append(value);
    return make(of, content);
}

// What is between version and checksum. Neither is judged here.
std::optional<std::string> content_of(std::string_view cursor) {
    if (cursor.size() > cursor_size_max) return std::nullopt;
    auto bytes = http::from_base64url(cursor);
    if (!bytes || bytes->size() < 1 + integer_size) return std::nullopt;
    return bytes->substr(1, bytes->size() - 1 - integer_size);
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> integers_of(std::string_view cursor) {
    const auto content = content_of(cursor);
    if (!content || content->size() != 2 * integer_size) return std::nullopt;
    return std::pair(get(*content), get(std::string_view(*content).substr(integer_size)));
}

// No order has another number.
bool is_number(std::int64_t value) noexcept {
    return value >= 1 && value != std::numeric_limits<std::int64_t>::max();
}

// In a list that is sorted by an attribute, which has a condition.
std::optional<list_position> value_of(const list_query& of, std::string_view cursor) {
    const auto content = content_of(cursor);
    if (!content || content->size() < integer_size) return std::nullopt;
    list_position at;
    at.number = static_cast<std::int64_t>(get(*content));
    at.value = content->substr(integer_size);
    const bool within = at.value >= of.index->from && at.value <= of.index->to;
    return within && is_number(at.number) ? std::optional(std::move(at)) : std::nullopt;
}

}  // namespace

std::string make_cursor(const list_query& of, const list_position& at) {
    if (of.sort == list_sort::order_id) return make(of, at.id);
    if (of.sort == list_sort::index) {
        return make(of, at.value, static_cast<std::uint64_t>(at.number));
    }
    return make(of, static_cast<std::uint64_t>(at.at.time_since_epoch().count()),
                static_cast<std::uint64_t>(at.number));
}

// A cursor is ours if it is what is made of its content: version, checksum and last bits.
std::optional<list_position> read_cursor(const list_query& of, std::string_view cursor) {
    list_position at;
    if (of.sort == list_sort::order_id) {
        auto id = content_of(cursor);
        if (!id || !id->starts_with(of.id_prefix)) return std::nullopt;
        at.id = std::move(*id);
    } else if (of.sort == list_sort::index) {
        auto found = value_of(of, cursor);
        if (!found) return std::nullopt;
        at = std::move(*found);
    } else {
        const auto found = integers_of(cursor);
        if (!found) return std::nullopt;
        at.at = timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(found->first)));
        at.number = static_cast<std::int64_t>(found->second);
        if (!is_number(at.number)) return std::nullopt;
    }
    return make_cursor(of, at) == cursor ? std::optional(std::move(at)) : std::nullopt;
}

std::string make_cursor(const list_query& of, const feed_position& at) {
    return make(of, at.epoch, at.offset);
}

std::optional<feed_position> read_change_cursor(const list_query& of, std::string_view cursor) {
    const auto found = integers_of(cursor);
    if (!found) return std::nullopt;
    const feed_position at{found->first, found->second};
    return make_cursor(of, at) == cursor ? std::optional(at) : std::nullopt;
}

}  // namespace orderproc::server
