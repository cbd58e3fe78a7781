// Positions in lists as texts for clients.

#include "api/cursor_seal.hpp"
#include "api/list_query.hpp"
#include "http/base64url.hpp"

#include <orderproc/idempotency.hpp>

#include <cstdint>
#include <limits>
#include <utility>

namespace orderproc::server {

namespace {

// A cursor is its version, what its list is sorted by of the last order, and a checksum; or, of a
// caller that does not see all orders, its version and that content under a seal.
constexpr char plain_version = 1;
constexpr char sealed_version = 2;
constexpr std::size_t integer_size = 8;
static_assert(index_entry::value_size_max >= order_id::size_max);
constexpr std::size_t cursor_size_max =
    (2 + sizeof(digest) + integer_size + index_entry::value_size_max) * 4 / 3 + 1;

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

// What is between version and checksum: bytes that say where a page ended.
std::string content_of(const list_query& of, const list_position& at) {
    std::string out;
    switch (of.sort) {
        case list_sort::order_id:
            return at.id;
        case list_sort::index:
            put(static_cast<std::uint64_t>(at.number), out);
            return out.append(at.value);
        case list_sort::created_at:
        case list_sort::due_at:
            break;
    }
    put(static_cast<std::uint64_t>(at.at.time_since_epoch().count()), out);
    put(static_cast<std::uint64_t>(at.number), out);
    return out;
}

// As many bytes as that has at most.
std::size_t content_size(const list_query& of) noexcept {
    if (of.sort == list_sort::order_id) return order_id::size_max;
    return integer_size +
           (of.sort == list_sort::index ? index_entry::value_size_max : integer_size);
}

// No order has another number.
bool is_number(std::int64_t value) noexcept {
    return value >= 1 && value != std::numeric_limits<std::int64_t>::max();
}

// The position that has this content. None: there is no such one in the list.
std::optional<list_position> position_of(const list_query& of, std::string_view content) {
    list_position at;
    if (of.sort == list_sort::order_id) {
        at.id = content;
        return content.starts_with(of.id_prefix) ? std::optional(std::move(at)) : std::nullopt;
    }
    if (content.size() < integer_size) return std::nullopt;
    const std::string_view rest = content.substr(integer_size);
    if (of.sort == list_sort::index) {  // which has a condition
        at.number = static_cast<std::int64_t>(get(content));
        at.value = rest;
        if (at.value < of.index->from || at.value > of.index->to) return std::nullopt;
    } else {
        if (rest.size() != integer_size) return std::nullopt;
        at.at = timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(get(content))));
        at.number = static_cast<std::int64_t>(get(rest));
    }
    return is_number(at.number) ? std::optional(std::move(at)) : std::nullopt;
}

std::string plain_cursor(std::string_view content, const checksum& sum) {
    std::string bytes(1, plain_version);
    bytes.append(content);
    put(sum.value(), bytes);
    return http::to_base64url(bytes);
}

std::string make(const list_query& of, std::uint64_t first, std::uint64_t second) {
    checksum sum = checksum_of(of);
    sum.add(first);
    sum.add(second);
    std::string content;
    put(first, content);
    put(second, content);
    return plain_cursor(content, sum);
}

std::string make(const list_query& of, std::string_view content) {
    checksum sum = checksum_of(of);
    sum.add(content);
    return plain_cursor(content, sum);
}

// The bytes of a cursor of that version, without it. None: it is none.
std::optional<std::string> bytes_of(std::string_view cursor, char version) {
    if (cursor.size() > cursor_size_max) return std::nullopt;
    auto bytes = http::from_base64url(cursor);
    if (!bytes || bytes->empty() || bytes->front() != version) return std::nullopt;
    bytes->erase(0, 1);
    return bytes;
}

// Without the checksum, which is not judged here.
std::optional<std::string> plain_content(std::string_view cursor) {
    auto bytes = bytes_of(cursor, plain_version);
    if (!bytes || bytes->size() < integer_size) return std::nullopt;
    bytes->resize(bytes->size() - integer_size);
    return bytes;
}

// What a sealed cursor belongs to.
std::string context_of(const list_query& of) {
    std::string out;
    put(checksum_of(of).value(), out);
    return out;
}

}  // namespace

std::string make_cursor(const list_query& of, const list_position& at) {
    const std::string content = content_of(of, at);
    if (of.seal) {
        return http::to_base64url(sealed_version +
                                  of.seal->seal(context_of(of), content, content_size(of)));
    }
    if (of.sort == list_sort::order_id || of.sort == list_sort::index) return make(of, content);
    return make(of, static_cast<std::uint64_t>(at.at.time_since_epoch().count()),
                static_cast<std::uint64_t>(at.number));
}

// A cursor is ours if it is what is made of its content: version, checksum or seal, and last bits.
std::optional<list_position> read_cursor(const list_query& of, std::string_view cursor) {
    auto content = of.seal ? bytes_of(cursor, sealed_version) : plain_content(cursor);
    if (content && of.seal) content = of.seal->open(context_of(of), *content);
    if (!content) return std::nullopt;
    auto at = position_of(of, *content);
    return at && make_cursor(of, *at) == cursor ? at : std::nullopt;
}

std::string make_cursor(const list_query& of, const feed_position& at) {
    return make(of, at.epoch, at.offset);
}

std::optional<feed_position> read_change_cursor(const list_query& of, std::string_view cursor) {
    const auto content = plain_content(cursor);
    if (!content || content->size() != 2 * integer_size) return std::nullopt;
    const feed_position at{get(*content), get(std::string_view(*content).substr(integer_size))};
    return make_cursor(of, at) == cursor ? std::optional(at) : std::nullopt;
}

}  // namespace orderproc::server
