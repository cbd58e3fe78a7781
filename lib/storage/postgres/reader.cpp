#include "storage/postgres/reader.hpp"

#include "storage/postgres/epochs.hpp"
#include "storage/postgres/order_row.hpp"
#include "storage/postgres/statements.hpp"
#include "storage/postgres/totals.hpp"

#include <orderproc/adapter.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

std::int64_t limit_of(std::size_t limit) {
    return static_cast<std::int64_t>(
        std::min<std::size_t>(limit, std::numeric_limits<std::int64_t>::max()));
}

// One more than the page, to see whether there is another one.
std::int64_t one_more(std::size_t than) {
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max() - 1;
    return static_cast<std::int64_t>(std::min(than, most)) + 1;
}

const std::string load_sql =
    "SELECT " + std::string(order_columns) +
    ", (SELECT epoch FROM epochs ORDER BY id DESC LIMIT 1), latest.position "
    "FROM (SELECT position FROM writes ORDER BY id DESC LIMIT 1) latest "
    "LEFT JOIN (orders o JOIN work w ON w.number = o.number) ON o.order_id = ANY($1::bytea[])";

const std::string number_of =
    "(SELECT number FROM orders WHERE order_id = $1::bytea UNION ALL "
    "SELECT number FROM tombstones WHERE order_id = $1::bytea LIMIT 1)";

const std::string history_sql = "SELECT " + std::string(entry_columns) +
                                " FROM journal WHERE number = " + number_of +
                                " AND version > $2::bigint ORDER BY version LIMIT $3::bigint";

const std::string last_snapshot_sql =
    "SELECT snapshot FROM journal WHERE number = " + number_of + " ORDER BY version DESC LIMIT 1";

const std::string feed_sql = "SELECT " + std::string(entry_columns) +
                             " FROM journal WHERE position > $1::bigint "
                             "ORDER BY position LIMIT $2::bigint";

constexpr const char* bounds_sql = "SELECT position, floor FROM writes ORDER BY id DESC LIMIT 1";

// Halves what lies between the floor and the end until nothing does.
constexpr const char* position_at_sql =
    "WITH RECURSIVE part(low, high) AS (SELECT * FROM (SELECT floor, position + 1 FROM writes "
    "ORDER BY id DESC LIMIT 1) whole UNION ALL "
    "SELECT CASE WHEN middle.at < $1::bigint THEN middle.position ELSE part.low END, "
    "CASE WHEN middle.at < $1::bigint THEN part.high ELSE part.low + (part.high - part.low) / 2 "
    "END FROM part LEFT JOIN LATERAL (SELECT position, at FROM journal "
    "WHERE position >= part.low + (part.high - part.low) / 2 ORDER BY position LIMIT 1) middle "
    "ON true WHERE part.high - part.low > 1) "
    "SELECT low FROM part WHERE high - low <= 1 LIMIT 1";

// What all writes came to, and for each of its statuses when the first order is due; never: the
// largest time.
const std::string counts_sql =
    "SELECT latest.*, ARRAY(SELECT coalesce((SELECT w.due_at FROM work w WHERE "
    "w.status = s.status AND w.due_at >= s.due_from ORDER BY w.due_at, w.number LIMIT 1), "
    "9223372036854775807) FROM unnest(latest.statuses, latest.due_from) s(status, due_from)) "
    "FROM (" +
    std::string(latest_totals) + ") latest";

record read_record(const rows& from, int row) {
    return {std::string(from.bytes(row, 0)), std::string(from.bytes(row, 1)), from.natural(row, 2),
            from.time_if_any(row, 3), std::string(from.bytes(row, 4))};
}

record_page page_of(const rows& from, std::size_t limit) {
    record_page out;
    for (int i = 0; i < from.size(); ++i) {
        out.more = out.records.size() == limit;
        if (out.more) break;
        out.records.push_back(read_record(from, i));
    }
    return out;
}

// The newest and the oldest place of the feed.
result<void> read_bounds(const rows& latest, std::span<const journal_epoch> epochs,
                         feed_page& out) {
    if (latest.size() == 0) return failure{errc::corrupt, "the totals are gone"};
    out.newest = {epochs.back().epoch, latest.natural(0, 0)};
    const std::uint64_t floor = latest.natural(0, 1);
    out.oldest = {epoch_at(epochs, floor), floor};
    return {};
}

}  // namespace

result<rows> reader::ask(std::string_view sql, parameters with) {
    db_.start_afresh();
    db_.add(sql, std::move(with));
    auto answers = db_.run();
    if (!answers) return std::move(answers).error();
    return std::move(answers->front());
}

result<loaded_orders> reader::load(const load_params& params) {
    array ids(element::bytes);
    std::unordered_map<std::string_view, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < params.ids.size(); ++i) {
        auto& of_id = places[params.ids[i]];
        if (of_id.empty()) ids.add(std::string_view(params.ids[i]));
        of_id.push_back(i);
    }
    const auto found = ask(load_sql, parameters::of(std::move(ids)));
    if (!found) return found.error();
    if (found->size() == 0) return failure{errc::corrupt, "the totals are gone"};
    loaded_orders out;
    out.orders.resize(params.ids.size());
    out.newest = {found->natural(0, order_column_count), found->natural(0, order_column_count + 1)};
    for (int i = 0; i < found->size(); ++i) {
        if (found->is_null(i, 0)) continue;
        auto it = read_order(*found, i);
        if (!it) return std::move(it).error();
        if (!params.scope.admits(*it)) continue;
        for (const std::size_t place : places.at(it->id.view())) out.orders[place] = *it;
    }
    return out;
}

result<std::vector<journal_entry>> reader::history(const history_params& params) {
    std::vector<journal_entry> out;
    std::vector<journal_epoch> epochs;
    bool admitted = false;
    snapshot_questions about(db_);
    ask_epochs(about, epochs);
    // Judged by the order's last entry, which a deleted one has as well.
    about.ask(last_snapshot_sql, parameters::of(params.order),
              [&](const rows& last) -> result<void> {
                  if (last.size() == 0) return {};
                  const auto it = read_snapshot(last.bytes(0, 0));
                  if (!it) return it.error();
                  admitted = params.scope.admits(*it);
                  return {};
              });
    about.ask(history_sql,
              parameters::of(params.order, static_cast<std::uint64_t>(params.after),
                             limit_of(params.limit)),
              [&](const rows& found) -> result<void> {
                  for (int i = 0; admitted && i < found.size(); ++i) {
                      auto it = read_entry(found, i, epochs);
                      if (!it) return std::move(it).error();
                      out.push_back(std::move(*it));
                  }
                  return {};
              });
    if (auto done = about.run(); !done) return std::move(done).error();
    return out;
}

result<feed_page> reader::read_feed(const feed_params& params) {
    feed_page out;
    std::vector<journal_epoch> epochs;
    snapshot_questions about(db_);
    ask_epochs(about, epochs);
    about.ask(bounds_sql, {}, [&](const rows& latest) -> result<void> {
        if (auto done = read_bounds(latest, epochs, out); !done) return done;
        judge_position(params.after, epochs, out);
        return {};
    });
    about.ask(feed_sql, parameters::of(params.after.offset, limit_of(params.limit)),
              [&](const rows& found) -> result<void> {
                  for (int i = 0; !out.reset && i < found.size(); ++i) {
                      auto it = read_entry(found, i, epochs);
                      if (!it) return std::move(it).error();
                      out.entries.push_back(std::move(*it));
                  }
                  return {};
              });
    if (auto done = about.run(); !done) return std::move(done).error();
    return out;
}

result<feed_position> reader::find_position(timestamp at) {
    std::vector<journal_epoch> epochs;
    feed_position out;
    snapshot_questions about(db_);
    ask_epochs(about, epochs);
    about.ask(position_at_sql, parameters::of(at), [&](const rows& found) -> result<void> {
        if (found.size() == 0) return failure{errc::corrupt, "the totals are gone"};
        out.offset = found.natural(0, 0);
        out.epoch = epoch_at(epochs, out.offset);
        return {};
    });
    if (auto done = about.run(); !done) return std::move(done).error();
    return out;
}

result<statistics> reader::count() {
    const auto found = ask(counts_sql, {});
    if (!found) return found.error();
    const auto sums = read_totals(*found);
    if (!sums) return sums.error();
    statistics out;
    const auto statuses = found->texts(0, totals_statuses_column);
    const auto first_due = found->integers(0, totals_column_count);
    for (const auto& [status, it] : sums->statuses) {
        status_count& count = out.orders.emplace_back();
        count.status = status;
        count.orders = static_cast<std::uint64_t>(it.orders);
        for (std::size_t i = 0; i < statuses.size() && i < first_due.size(); ++i) {
            if (statuses[i] != status.view() || first_due[i] == never) continue;
            count.oldest_due_at = timestamp(std::chrono::milliseconds(first_due[i]));
        }
    }
    out.completed = sums->completed;
    out.processing_time = sums->processing_time;
    out.created = static_cast<std::uint64_t>(sums->number);
    return out;
}

result<std::optional<feed_position>> reader::find_cursor(std::string_view name) {
    const auto found =
        ask("SELECT epoch, position FROM cursors WHERE name = $1::bytea", parameters::of(name));
    if (!found) return found.error();
    if (found->size() == 0) return std::optional<feed_position>{};
    return std::optional(feed_position{found->natural(0, 0), found->natural(0, 1)});
}

result<std::vector<named_cursor>> reader::list_cursors() {
    const auto found = ask(all_cursors, {});
    if (!found) return found.error();
    std::vector<named_cursor> out;
    for (int i = 0; i < found->size(); ++i) {
        out.push_back({std::string(found->bytes(i, 0)),
                       {found->natural(i, 2), found->natural(i, 3)},
                       found->time(i, 5)});
    }
    return out;
}

result<std::optional<record>> reader::find_record(const find_record_params& params) {
    const auto found = ask(
        "SELECT key, value, version, due_at, about FROM records WHERE collection = $1::bytea AND "
        "key = $2::bytea",
        parameters::of(params.collection, params.key));
    if (!found) return found.error();
    if (found->size() == 0) return std::optional<record>{};
    return std::optional(read_record(*found, 0));
}

result<record_page> reader::list_records(const list_records_params& params) {
    const std::string behind_all(record_key_size_max + 1, '\xff');
    const std::string end = end_of_prefix(params.prefix).value_or(behind_all);
    const auto found = ask(
        "SELECT key, value, version, due_at, about FROM records WHERE collection = $1::bytea AND "
        "key > $2::bytea AND key >= $3::bytea AND key < $4::bytea ORDER BY key LIMIT $5::bigint",
        parameters::of(params.collection, params.after, params.prefix, std::string_view(end),
                       one_more(params.limit)));
    if (!found) return found.error();
    return page_of(*found, params.limit);
}

result<record_page> reader::list_due_records(const list_due_records_params& params) {
    const auto after = params.after.value_or(due_record_position{timestamp::min(), {}});
    const auto found = ask(
        "SELECT key, value, version, due_at, about FROM records WHERE collection = $1::bytea AND "
        "(due_at, key) > ($2::bigint, $3::bytea) AND due_at <= $4::bigint AND "
        "due_at IS NOT NULL ORDER BY due_at, key LIMIT $5::bigint",
        parameters::of(params.collection, after.due_at, after.key, params.until,
                       one_more(params.limit)));
    if (!found) return found.error();
    return page_of(*found, params.limit);
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
