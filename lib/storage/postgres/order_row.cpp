#include "storage/postgres/order_row.hpp"

#include "core/codec_extra.hpp"
#include "core/integer_text.hpp"

#include <orderproc/adapter.hpp>
#include <orderproc/codec.hpp>

#include <charconv>
#include <chrono>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

// PostgreSQL's text form of an array.
void print_items(std::span<const std::int64_t> items, std::string& out) {
    char digits[20];
    out = '{';
    for (const std::int64_t item : items) {
        if (out.size() > 1) out += ',';
        out.append(digits, std::to_chars(digits, digits + sizeof digits, item).ptr);
    }
    out += '}';
}

}  // namespace

result<order> read_order(const rows& from, int row, int column) {
    result<order> out;
    order& it = *out;
    int at = column;
    it.number = from.integer(row, at++);
    if (auto id = order_id::parse(from.bytes(row, at++))) it.id = std::move(*id);
    const std::string_view user = from.bytes(row, at++);
    if (positive_integer(user) != 0) it.user = user;  // any other is in extra
    it.total_amount.minor_units = from.integer(row, at++);
    const auto currency = currency_code::parse(from.bytes(row, at++));
    const bool known = currency && currency_decimals(currency->view()).has_value();
    if (known) it.total_amount.currency = *currency;
    it.created_at = from.time(row, at++);
    it.item_ids = from.integers(row, at++);
    it.metadata = from.bytes(row, at++);
    std::string_view extra = from.bytes(row, at);
    const bool complete = from.is_null(row, at) || (decode_extra(extra, it) && extra.empty());
    ++at;
    const auto status = order_status::parse(from.bytes(row, at++));
    if (status) it.status = *status;
    it.version = order_version{from.natural(row, at++)};
    it.attempts = static_cast<std::uint32_t>(from.integer(row, at++));
    it.updated_at = from.time(row, at++);
    it.next_attempt_at = from.time_if_any(row, at++);
    it.first_claimed_at = from.time_if_any(row, at++);
    it.settled_at = from.time_if_any(row, at++);
    it.last_error = from.bytes(row, at++);
    if (it.id.empty() || !known || !status || !complete || it.user != user) {
        return failure{errc::corrupt,
                       "order number " + std::to_string(it.number) + " is malformed"};
    }
    return out;
}

result<stored_order> read_stored_order(const rows& from, int row) {
    auto value = read_order(from, row);
    if (!value) return std::move(value).error();
    result<stored_order> out;
    out->value = std::move(*value);
    int at = order_column_count;
    out->lease = lease_token{from.natural(row, at++)};
    out->leased = from.integer(row, at++) != 0;
    out->due_at = from.time_if_any(row, at++);
    out->span = std::chrono::milliseconds(from.integer(row, at++));
    out->expired_leases = static_cast<std::uint32_t>(from.integer(row, at++));
    out->worker_id = from.bytes(row, at++);
    out->traceparent = from.bytes(row, at++);
    if (from.is_null(row, at)) return out;
    auto index = read_index(from.bytes(row, at));
    if (!index) {
        return failure{errc::corrupt, "the index entries of order number " +
                                          std::to_string(out->value.number) + " are malformed"};
    }
    out->index = std::move(*index);
    return out;
}

result<journal_entry> read_entry(const rows& from, int row, std::span<const journal_epoch> epochs) {
    result<journal_entry> out;
    const std::uint64_t offset = from.natural(row, 0);
    out->position = {epoch_at(epochs, offset), offset};
    out->version = order_version{from.natural(row, 1)};
    out->event = from.bytes(row, 2);
    if (!from.is_null(row, 3)) {
        const auto status = read_status(from.bytes(row, 3));
        if (!status) return status.error();
        out->from = *status;
    }
    out->actor = from.bytes(row, 4);
    out->reason = from.bytes(row, 5);
    out->traceparent = from.bytes(row, 6);
    out->at = from.time(row, 7);
    auto after = read_snapshot(from.bytes(row, 8));
    if (!after) return std::move(after).error();
    out->after = std::move(*after);
    return out;
}

result<order_status> read_status(std::string_view text) {
    if (auto status = order_status::parse(text)) return *status;
    return failure{errc::corrupt, "malformed status '" + std::string(text) + "'"};
}

result<order> read_snapshot(std::string_view bytes) {
    auto decoded = decode_order(bytes);
    if (decoded) return decoded;
    return failure{errc::corrupt, "malformed journal entry: " + decoded.error().message()};
}

void content_columns::add(const stored_order& stored) {
    const order& it = stored.value;
    number_.add(it.number);
    order_id_.add(it.id.view());
    user_id_.add(std::string_view(it.user));
    tenant_.add(std::string_view(it.tenant));
    amount_.add(it.total_amount.minor_units);
    currency_.add(it.total_amount.currency.view());
    created_at_.add(it.created_at);
    print_items(it.item_ids, buffer_);
    item_ids_.add(std::string_view(buffer_));
    metadata_.add(std::string_view(it.metadata));
    buffer_.clear();
    if (has_extra(it)) encode_extra(it, buffer_);
    buffer_.empty() ? extra_.add_null() : extra_.add(std::string_view(buffer_));
    buffer_.clear();
    append_index(stored.index, buffer_);
    buffer_.empty() ? index_entries_.add_null() : index_entries_.add(std::string_view(buffer_));
}

parameters content_columns::take() && {
    return parameters::of(std::move(number_), std::move(order_id_), std::move(user_id_),
                          std::move(tenant_), std::move(amount_), std::move(currency_),
                          std::move(created_at_), std::move(item_ids_), std::move(metadata_),
                          std::move(extra_), std::move(index_entries_));
}

void work_columns::add(const stored_order& stored) {
    const order& it = stored.value;
    number_.add(it.number);
    status_.add(it.status.view());
    version_.add(static_cast<std::uint64_t>(it.version));
    attempts_.add(std::int64_t{it.attempts});
    updated_at_.add(it.updated_at);
    next_attempt_at_.add(it.next_attempt_at);
    first_claimed_at_.add(it.first_claimed_at);
    settled_at_.add(it.settled_at);
    lease_.add(static_cast<std::uint64_t>(stored.lease));
    leased_.add(stored.leased);
    due_at_.add(stored.due_at);
    span_.add(std::int64_t{stored.span.count()});
    expired_leases_.add(std::int64_t{stored.expired_leases});
    worker_id_.add(std::string_view(stored.worker_id));
    last_error_.add(std::string_view(it.last_error));
    traceparent_.add(std::string_view(stored.traceparent));
}

parameters work_columns::take() && {
    return parameters::of(std::move(number_), std::move(status_), std::move(version_),
                          std::move(attempts_), std::move(updated_at_), std::move(next_attempt_at_),
                          std::move(first_claimed_at_), std::move(settled_at_), std::move(lease_),
                          std::move(leased_), std::move(due_at_), std::move(span_),
                          std::move(expired_leases_), std::move(worker_id_), std::move(last_error_),
                          std::move(traceparent_));
}

void entry_rows::add(const entry_row& it) {
    position_.add(it.position);
    number_.add(it.number);
    version_.add(static_cast<std::uint64_t>(it.version));
    event_.add(it.event);
    from_.add(it.from ? std::optional(it.from->view()) : std::nullopt);
    status_.add(it.status.view());
    actor_.add(it.actor);
    reason_.add(it.reason);
    traceparent_.add(it.traceparent);
    at_.add(it.at);
    snapshot_.add(it.snapshot);
}

parameters entry_rows::take() && {
    return parameters::of(std::move(position_), std::move(number_), std::move(version_),
                          std::move(event_), std::move(from_), std::move(status_),
                          std::move(actor_), std::move(reason_), std::move(traceparent_),
                          std::move(at_), std::move(snapshot_));
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
