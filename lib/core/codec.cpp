#include "core/codec_bytes.hpp"
#include "core/codec_extra.hpp"
#include "core/integer_text.hpp"

#include <orderproc/adapter.hpp>
#include <orderproc/codec.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

// A format byte, a byte of flags, the fields in the order in which encode() names them, and the
// CRC-32C of all that, little-endian. Numbers are LEB128 varints, signed ones zigzagged first; a
// text is its size and its bytes; a time is its distance from created_at. There is one encoding
// of each value: a decoder takes no other, so equal orders are equal bytes. A user who is an
// integer is a number; what most orders do not have stands in a part of its own, with a flag.

namespace orderproc {
inline namespace v1 {

namespace {

using detail::assign_integer;
using detail::byte_reader;
using detail::byte_writer;
using detail::checksum_size;
using detail::crc32c;
using detail::load_u32;
using detail::positive_integer;
using detail::varint_size_max;

// A change of the layout takes the next number; what is read here stays read.
enum format : std::uint8_t {
    order_format = 0x01,
    stored_order_format = 0x81,
    indexed_order_format = 0x82,  // a stored order with index entries
    journal_entry_format = 0x41,
};

enum flag : std::uint8_t {
    has_id = 1 << 0,
    has_next_attempt_at = 1 << 1,
    has_first_claimed_at = 1 << 2,
    has_settled_at = 1 << 3,
    has_due_at = 1 << 4,
    is_leased = 1 << 5,
    has_from = 1 << 6,
    has_span = 1 << 6,  // of a stored order; without it the span is 0, as before there were any
    has_more = 1 << 7,
    order_flags = has_id | has_next_attempt_at | has_first_claimed_at | has_settled_at | has_more,
    stored_order_flags = order_flags | has_due_at | is_leased | has_span,
    journal_entry_flags = order_flags | has_from,
};

constexpr std::string_view no_currency{"\0\0\0", currency_code::size};

bool has_extra(const order_content& value) noexcept {
    return !value.tenant.empty() || !value.lines.empty() || !value.attributes.empty() ||
           !value.annotations.empty() || (!value.user.empty() && positive_integer(value.user) == 0);
}

std::size_t extra_size_bound(const order_content& value) noexcept {
    std::size_t out =
        value.user.size() + value.tenant.size() + value.annotations.size() + 5 * varint_size_max;
    for (const order_line& it : value.lines) {
        out += it.sku.size() + it.name.size() + 4 * varint_size_max;
    }
    for (const order_attribute& it : value.attributes) {
        out += it.name.size() + 2 * varint_size_max + 1;
        if (const auto* text = std::get_if<std::string>(&it.value)) out += text->size();
    }
    return out;
}

void write_value(byte_writer& to, const attribute_value& value) noexcept {
    to.byte(static_cast<std::uint8_t>(value.index()));
    if (const auto* text = std::get_if<std::string>(&value)) {
        to.text(*text);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        to.signed_number(*integer);
    } else if (const auto* truth = std::get_if<bool>(&value)) {
        to.byte(*truth ? 1 : 0);
    } else if (const auto* time = std::get_if<timestamp>(&value)) {
        to.time(*time, timestamp());
    } else {
        to.signed_number(std::get<amount>(value).minor_units);
    }
}

void write_extra(byte_writer& to, const order_content& value) noexcept {
    to.text(positive_integer(value.user) == 0 ? std::string_view(value.user) : std::string_view());
    to.text(value.tenant);
    to.number(value.lines.size());
    for (const order_line& it : value.lines) {
        to.text(it.sku);
        to.signed_number(it.quantity);
        to.text(it.name);
        to.byte(it.unit_amount ? 1 : 0);
        if (it.unit_amount) to.signed_number(it.unit_amount->minor_units);
    }
    to.number(value.attributes.size());
    for (const order_attribute& it : value.attributes) {
        to.text(it.name);
        write_value(to, it.value);
    }
    to.text(value.annotations);
}

bool read_truth(byte_reader& from) noexcept {
    const std::uint8_t out = from.byte();
    if (out > 1) from.fail();
    return out == 1;
}

attribute_value read_value(byte_reader& from) {
    switch (from.byte()) {
        case 0:
            return std::string(from.text());
        case 1:
            return from.signed_number();
        case 2:
            return read_truth(from);
        case 3:
            return from.time(timestamp());
        case 4:
            return amount{from.signed_number()};
        default:
            from.fail();
            return {};
    }
}

void read_extra(byte_reader& from, order_content& out) {
    std::string user(from.text());
    if (!user.empty()) {
        if (!out.user.empty() || positive_integer(user) != 0) return from.fail();
        out.user = std::move(user);
    }
    out.tenant = from.text();
    out.lines.resize(from.count());
    for (order_line& it : out.lines) {
        it.sku = from.text();
        it.quantity = from.signed_number();
        it.name = from.text();
        if (read_truth(from)) it.unit_amount = amount{from.signed_number()};
    }
    out.attributes.resize(from.count());
    for (order_attribute& it : out.attributes) {
        it.name = from.text();
        it.value = read_value(from);
    }
    out.annotations = from.text();
    if (!has_extra(out)) from.fail();  // is encoded without the flag
}

std::uint8_t flags_of(const order& value) noexcept {
    int out = 0;
    if (!value.id.empty()) out |= has_id;
    if (has_extra(value)) out |= has_more;
    if (value.next_attempt_at) out |= has_next_attempt_at;
    if (value.first_claimed_at) out |= has_first_claimed_at;
    if (value.settled_at) out |= has_settled_at;
    return static_cast<std::uint8_t>(out);
}

std::uint8_t flags_of(const stored_order& value) noexcept {
    int out = flags_of(value.value);
    if (value.due_at) out |= has_due_at;
    if (value.leased) out |= is_leased;
    if (value.span.count() != 0) out |= has_span;
    return static_cast<std::uint8_t>(out);
}

// A stored order and its index entries, as append_index() has them.
struct indexed_order {
    stored_order value;
    std::string index;
};

std::uint8_t flags_of(const indexed_order& value) noexcept {
    return flags_of(value.value);
}

std::uint8_t flags_of(const journal_entry& value) noexcept {
    int out = flags_of(value.after);
    if (value.from) out |= has_from;
    return static_cast<std::uint8_t>(out);
}

// At least what encoding takes.
std::size_t size_bound(const order& value, std::uint8_t flags) noexcept {
    constexpr std::size_t numbers_max = 16;  // 10 numbers and times, 4 sizes, the count of items
    const std::size_t more = (flags & has_more) != 0 ? extra_size_bound(value) : 0;
    return more + 2 + checksum_size + currency_code::size + value.id.view().size() +
           order_status::size_max + value.metadata.size() + value.last_error.size() +
           varint_size_max * (numbers_max + value.item_ids.size());
}

std::size_t size_bound(const stored_order& value, std::uint8_t flags) noexcept {
    constexpr std::size_t numbers_max = 6;
    return size_bound(value.value, flags) + value.worker_id.size() + value.traceparent.size() +
           varint_size_max * numbers_max;
}

std::size_t size_bound(const indexed_order& value, std::uint8_t flags) noexcept {
    return size_bound(value.value, flags) + value.index.size() + varint_size_max;
}

std::size_t size_bound(const journal_entry& value, std::uint8_t flags) noexcept {
    constexpr std::size_t numbers_max = 6;
    return size_bound(value.after, flags) + order_status::size_max + value.event.size() +
           value.actor.size() + value.reason.size() + value.traceparent.size() +
           varint_size_max * numbers_max;
}

void write(byte_writer& to, std::uint8_t flags, const order& value) noexcept {
    to.signed_number(value.number);
    if ((flags & has_id) != 0) to.text(value.id.view());
    to.signed_number(positive_integer(value.user));
    to.number(value.item_ids.size());
    for (const std::int64_t id : value.item_ids) to.signed_number(id);
    to.signed_number(value.total_amount.minor_units);
    const std::string_view currency = value.total_amount.currency.view();
    to.bytes(currency.empty() ? no_currency.data() : currency.data(), no_currency.size());
    to.text(value.metadata);
    to.text(value.status.view());
    to.number(static_cast<std::uint64_t>(value.version));
    to.number(value.attempts);
    to.text(value.last_error);
    to.time(value.created_at, timestamp());
    to.time(value.updated_at, value.created_at);
    to.time(value.next_attempt_at, value.created_at);
    to.time(value.first_claimed_at, value.created_at);
    to.time(value.settled_at, value.created_at);
    if ((flags & has_more) != 0) write_extra(to, value);
}

void write(byte_writer& to, std::uint8_t flags, const stored_order& value) noexcept {
    write(to, flags, value.value);
    to.number(static_cast<std::uint64_t>(value.lease));
    to.time(value.due_at, value.value.created_at);
    to.text(value.worker_id);
    to.number(value.expired_leases);
    to.text(value.traceparent);
    if ((flags & has_span) != 0) to.signed_number(value.span.count());
}

void write(byte_writer& to, std::uint8_t flags, const indexed_order& value) noexcept {
    write(to, flags, value.value);
    to.text(value.index);
}

void write(byte_writer& to, std::uint8_t flags, const journal_entry& value) noexcept {
    write(to, flags, value.after);
    to.text(value.event);
    if (value.from) to.text(value.from->view());
    to.text(value.actor);
    to.text(value.reason);
    to.text(value.traceparent);
    to.time(value.at, value.after.created_at);
}

void read_id(byte_reader& from, order_id& out) {
    auto id = order_id::parse(from.text());
    if (!id) return from.fail();
    out = std::move(*id);
}

void read_status(byte_reader& from, order_status& out) {
    const std::string_view text = from.text();
    if (text.empty()) return;  // no status
    const auto status = order_status::parse(text);
    if (!status) return from.fail();
    out = *status;
}

void read(byte_reader& from, std::uint8_t flags, order& out) {
    out.number = from.signed_number();
    if ((flags & has_id) != 0) read_id(from, out.id);
    if (const std::int64_t user = from.signed_number(); user > 0) {
        assign_integer(user, out.user);
    } else if (user != 0) {
        from.fail();
    }
    out.item_ids.resize(from.count());
    for (std::int64_t& id : out.item_ids) id = from.signed_number();
    out.total_amount.minor_units = from.signed_number();
    const std::string_view currency = from.bytes(no_currency.size());
    if (const auto code = currency_code::parse(currency)) {
        out.total_amount.currency = *code;
    } else if (currency != no_currency) {
        from.fail();
    }
    out.metadata = from.text();
    read_status(from, out.status);
    out.version = order_version{from.number()};
    out.attempts = from.number_32();
    out.last_error = from.text();
    out.created_at = from.time(timestamp());
    out.updated_at = from.time(out.created_at);
    out.next_attempt_at = from.time_if((flags & has_next_attempt_at) != 0, out.created_at);
    out.first_claimed_at = from.time_if((flags & has_first_claimed_at) != 0, out.created_at);
    out.settled_at = from.time_if((flags & has_settled_at) != 0, out.created_at);
    if ((flags & has_more) != 0) read_extra(from, out);
}

void read(byte_reader& from, std::uint8_t flags, stored_order& out) {
    read(from, flags, out.value);
    out.lease = lease_token{from.number()};
    out.leased = (flags & is_leased) != 0;
    out.due_at = from.time_if((flags & has_due_at) != 0, out.value.created_at);
    out.worker_id = from.text();
    out.expired_leases = from.number_32();
    out.traceparent = from.text();
    if ((flags & has_span) == 0) return;
    out.span = std::chrono::milliseconds(from.signed_number());
    if (out.span.count() == 0) from.fail();  // is encoded without the flag
}

void read(byte_reader& from, std::uint8_t flags, indexed_order& out) {
    read(from, flags, out.value);
    auto index = read_index(from.text());
    if (!index || index->empty()) return from.fail();  // without any the format is another
    out.value.index = std::move(*index);
}

void read(byte_reader& from, std::uint8_t flags, journal_entry& out) {
    read(from, flags, out.after);
    out.version = out.after.version;
    out.event = from.text();
    if ((flags & has_from) != 0) read_status(from, out.from.emplace());
    out.actor = from.text();
    out.reason = from.text();
    out.traceparent = from.text();
    out.at = from.time(out.after.created_at);
}

template <class Value>
void append(const Value& value, format as, std::string& out) {
    const std::size_t before = out.size();
    const std::uint8_t flags = flags_of(value);
    out.resize(before + size_bound(value, flags));
    char* const begin = out.data() + before;
    byte_writer to(begin);
    to.byte(as);
    to.byte(flags);
    write(to, flags, value);
    to.checksum(crc32c(begin, static_cast<std::size_t>(to.at() - begin)));
    out.resize(before + static_cast<std::size_t>(to.at() - begin));
}

template <class Value>
result<Value> decode(std::string_view bytes, format expected, std::uint8_t flags_known) {
    if (bytes.size() < checksum_size) return failure{errc::corrupt, "an encoded order is cut off"};
    const std::size_t size = bytes.size() - checksum_size;
    if (crc32c(bytes.data(), size) != load_u32(bytes.data() + size)) {
        return failure{errc::corrupt, "an encoded order does not have its checksum"};
    }
    byte_reader from(bytes.substr(0, size));
    if (from.byte() != expected) {
        return failure{errc::corrupt, "an encoded order has an unknown format"};
    }
    const std::uint8_t flags = from.byte();
    result<Value> out;
    read(from, flags, *out);
    if (from.failed() || from.left() > 0 || (flags & ~flags_known) != 0) {
        return failure{errc::corrupt, "an encoded order is malformed"};
    }
    return out;
}

}  // namespace

namespace detail {

bool has_extra(const order_content& value) noexcept {
    return v1::has_extra(value);
}

void encode_extra(const order_content& value, std::string& out) {
    const std::size_t before = out.size();
    out.resize(before + extra_size_bound(value));
    byte_writer to(out.data() + before);
    write_extra(to, value);
    out.resize(static_cast<std::size_t>(to.at() - out.data()));
}

bool decode_extra(std::string_view& bytes, order_content& out) {
    byte_reader from(bytes);
    read_extra(from, out);
    bytes.remove_prefix(bytes.size() - from.left());
    return !from.failed();
}

}  // namespace detail

void encode(const order& value, std::string& out) {
    append(value, order_format, out);
}

void encode(const stored_order& value, std::string& out) {
    if (value.index.empty()) return append(value, stored_order_format, out);
    indexed_order indexed{value, {}};
    append_index(value.index, indexed.index);
    append(indexed, indexed_order_format, out);
}

void encode(const journal_entry& value, std::string& out) {
    append(value, journal_entry_format, out);
}

result<order> decode_order(std::string_view bytes) {
    return decode<order>(bytes, order_format, order_flags);
}

result<stored_order> decode_stored_order(std::string_view bytes) {
    if (bytes.empty() || static_cast<std::uint8_t>(bytes.front()) != indexed_order_format) {
        return decode<stored_order>(bytes, stored_order_format, stored_order_flags);
    }
    auto out = decode<indexed_order>(bytes, indexed_order_format, stored_order_flags);
    if (!out) return std::move(out).error();
    return std::move(out->value);
}

result<journal_entry> decode_journal_entry(std::string_view bytes, feed_position position) {
    auto out = decode<journal_entry>(bytes, journal_entry_format, journal_entry_flags);
    if (out) out->position = position;
    return out;
}

}  // namespace v1
}  // namespace orderproc
