#include "order_row.hpp"

#include "core/codec_extra.hpp"
#include "core/integer_text.hpp"

#include <orderproc/adapter.hpp>
#include <orderproc/codec.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

bool parse_items(std::string_view text, std::vector<std::int64_t>& out) {
    if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
    const char* at = text.data() + 1;
    const char* const end = text.data() + text.size() - 1;
    out.reserve(static_cast<std::size_t>(std::count(at, end, ',')) + 1);
    while (at != end) {
        std::int64_t item = 0;
        const auto [rest, error] = std::from_chars(at, end, item);
        if (error != std::errc{} || (rest != end && *rest != ',')) return false;
        out.push_back(item);
        if (rest != end && rest + 1 == end) return false;  // a comma and nothing after it
        at = rest == end ? end : rest + 1;
    }
    return true;
}

constexpr int extra_column = 16;

void fail_malformed(connection& db, std::int64_t number) {
    db.fail(errc::corrupt, "order number " + std::to_string(number) + " is malformed");
}

// What stands behind the content in the column extra.
void take_index(connection& db, std::string_view bytes, stored_order& out) {
    auto index = read_index(bytes);
    if (!index) return fail_malformed(db, out.value.number);
    out.index = std::move(*index);
}

// rest: what follows of the column extra.
order read_order(connection& db, const rows& row, std::string_view& rest) {
    order it;
    it.number = row.integer(0);
    if (auto id = order_id::parse(row.text(1))) it.id = std::move(*id);
    if (const std::int64_t user = row.integer(2); user > 0) assign_integer(user, it.user);
    it.status = read_status(db, row.text(3));
    it.version = order_version{static_cast<std::uint64_t>(row.integer(4))};
    it.attempts = static_cast<std::uint32_t>(row.integer(5));
    it.total_amount.minor_units = row.integer(6);
    const auto currency = currency_code::parse(row.text(7));
    const bool known = currency && currency_decimals(currency->view()).has_value();
    if (known) it.total_amount.currency = *currency;
    it.created_at = row.time(8);
    it.updated_at = row.time(9);
    it.next_attempt_at = row.time_if_any(10);
    it.first_claimed_at = row.time_if_any(11);
    it.settled_at = row.time_if_any(12);
    it.last_error = row.text(13);
    const bool listed = parse_items(row.text(14), it.item_ids);
    it.metadata = row.text(15);
    rest = row.text(extra_column);
    const bool complete = row.is_null(extra_column) || decode_extra(rest, it);
    if (it.id.empty() || !known || !listed || !complete) fail_malformed(db, it.number);
    return it;
}

}  // namespace

order read_order(connection& db, const rows& row) {
    std::string_view rest;
    return read_order(db, row, rest);
}

stored_order read_stored_order(connection& db, const rows& row) {
    stored_order out;
    std::string_view rest;
    out.value = read_order(db, row, rest);
    if (!rest.empty() && db.ok()) take_index(db, rest, out);
    int column = order_column_count;
    out.lease = lease_token{static_cast<std::uint64_t>(row.integer(column++))};
    out.leased = row.integer(column++) != 0;
    out.due_at = row.time_if_any(column++);
    out.expired_leases = static_cast<std::uint32_t>(row.integer(column++));
    out.worker_id = row.text(column++);
    out.traceparent = row.text(column++);
    out.span = std::chrono::milliseconds(row.integer(column));
    return out;
}

journal_entry read_entry(connection& db, const rows& row, std::span<const journal_epoch> epochs) {
    journal_entry out;
    const auto offset = static_cast<std::uint64_t>(row.integer(0));
    out.position = {epoch_at(epochs, offset), offset};
    out.version = order_version{static_cast<std::uint64_t>(row.integer(1))};
    out.event = row.text(2);
    if (!row.is_null(3)) out.from = read_status(db, row.text(3));
    out.actor = row.text(4);
    out.reason = row.text(5);
    out.traceparent = row.text(6);
    out.at = row.time(7);
    out.after = read_snapshot(db, row.text(8));
    return out;
}

order_status read_status(connection& db, std::string_view text) {
    if (auto status = order_status::parse(text)) return *status;
    db.fail(errc::corrupt, "malformed status '" + std::string(text) + "'");
    return {};
}

order read_snapshot(connection& db, std::string_view bytes) {
    auto decoded = decode_order(bytes);
    if (decoded) return std::move(*decoded);
    db.fail(errc::corrupt, "malformed journal entry: " + decoded.error().message());
    return {};
}

// FNV-1a (Fowler, Noll and Vo) of 64 bits, of which 63 are kept.
std::int64_t user_key(std::string_view user) noexcept {
    if (user.empty()) return 0;
    if (const std::int64_t integer = positive_integer(user); integer != 0) return integer;
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : user) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return -1 - static_cast<std::int64_t>(hash >> 1);
}

void print_items(std::span<const std::int64_t> items, std::string& out) {
    constexpr std::size_t widest = 21;  // a comma, a sign, 19 digits
    const std::size_t begin = out.size();
    out.resize(begin + items.size() * widest + 2);
    char* const end = out.data() + out.size();
    char* at = out.data() + begin;
    *at++ = '[';
    for (const std::int64_t item : items) {
        if (at[-1] != '[') *at++ = ',';
        at = std::to_chars(at, end, item).ptr;
    }
    *at++ = ']';
    out.resize(static_cast<std::size_t>(at - out.data()));
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
