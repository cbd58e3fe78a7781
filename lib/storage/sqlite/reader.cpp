#include "reader.hpp"

#include "epochs.hpp"
#include "order_row.hpp"

#include <orderproc/adapter.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

std::string select(const char* columns, const char* rest) {
    return std::string("SELECT ") + columns + " " + rest;
}

// A LIMIT for SQLite, to which a negative one is none.
std::int64_t limit_of(std::size_t limit) {
    return static_cast<std::int64_t>(
        std::min<std::size_t>(limit, std::numeric_limits<std::int64_t>::max()));
}

template <class T>
result<T> finished(connection& db, T&& value) {
    if (auto done = db.finish(); !done) return std::move(done).error();
    return std::forward<T>(value);
}

}  // namespace

reader::reader(connection& db)
    : db_(db),
      lists_(db),
      begin_(db, "BEGIN"),
      newest_(db, "SELECT epoch, last_position FROM totals"),
      load_(db, select(order_columns, "FROM orders WHERE order_id=?1")),
      load_one_(db, select(order_columns,
                           ",epoch,last_position FROM totals LEFT JOIN orders ON order_id=?1")),
      number_(db,
              "SELECT number FROM orders WHERE order_id=?1 "
              "UNION ALL SELECT number FROM tombstones WHERE order_id=?1 LIMIT 1"),
      history_(db, select(entry_columns,
                          "FROM journal WHERE number=?1 AND version>?2 ORDER BY version LIMIT ?3")),
      last_snapshot_(db,
                     "SELECT snapshot FROM journal WHERE number=?1 ORDER BY version DESC LIMIT 1"),
      epochs_(db, all_epochs),
      bounds_(db, "SELECT epoch, last_position, floor FROM totals"),
      feed_(db, select(entry_columns, "FROM journal WHERE position>?1 ORDER BY position LIMIT ?2")),
      time_of_(db, "SELECT position, at FROM journal WHERE position>=?1 ORDER BY position LIMIT 1"),
      counts_(db,
              "SELECT status, orders, (SELECT min(due_at) FROM orders WHERE status=counts.status "
              "AND due_at IS NOT NULL) FROM counts ORDER BY status"),
      totals_(db, "SELECT completed, processing_ms, last_number FROM totals"),
      cursor_(db, "SELECT epoch, position FROM cursors WHERE name=?1"),
      cursors_(db, "SELECT name, epoch, position, moved_at FROM cursors ORDER BY name"),
      sequence_(db, "SELECT sequence FROM writers WHERE writer=?1"),
      records_(db) {}

feed_position reader::newest() {
    auto found = newest_.query();
    if (!found.next()) return {};
    return {static_cast<std::uint64_t>(found.integer(0)),
            static_cast<std::uint64_t>(found.integer(1))};
}

// In a single statement, which needs no transaction around it.
void reader::load_one(const load_params& params, loaded_orders& out) {
    auto found = load_one_.query(std::string_view(params.ids[0]));
    if (!found.next()) return;
    out.newest = {static_cast<std::uint64_t>(found.integer(order_column_count)),
                  static_cast<std::uint64_t>(found.integer(order_column_count + 1))};
    if (found.is_null(0)) return;
    order it = read_order(db_, found);
    if (params.scope.admits(it)) out.orders[0] = std::move(it);
}

result<loaded_orders> reader::load(const load_params& params) {
    loaded_orders out;
    out.orders.resize(params.ids.size());
    if (params.ids.size() == 1) {
        load_one(params, out);
    } else {
        const transaction at_once = snapshot();
        out.newest = newest();
        for (std::size_t i = 0; i < params.ids.size(); ++i) {
            auto found = load_.query(std::string_view(params.ids[i]));
            if (!found.next()) continue;
            order it = read_order(db_, found);
            if (params.scope.admits(it)) out.orders[i] = std::move(it);
        }
    }
    return finished(db_, std::move(out));
}

result<order_page> reader::list(const list_params& params) {
    order_page out;
    {
        const transaction at_once = snapshot();
        out = lists_.run(params);
        out.newest = newest();
    }
    return finished(db_, std::move(out));
}

// Judged by the order's last entry, which a deleted one has as well.
bool reader::admits(std::int64_t number, const order_scope& scope) {
    if (scope.everybody()) return true;
    auto last = last_snapshot_.query(number);
    return last.next() && scope.admits(read_snapshot(db_, last.text(0)));
}

result<std::vector<journal_entry>> reader::history(const history_params& params) {
    std::vector<journal_entry> out;
    {
        const transaction at_once = snapshot();
        const auto of = read_epochs(db_, epochs_);
        auto known = number_.query(params.order);
        if (known.next() && admits(known.integer(0), params.scope)) {
            auto entries = history_.query(
                known.integer(0), static_cast<std::uint64_t>(params.after), limit_of(params.limit));
            while (entries.next()) out.push_back(read_entry(db_, entries, of));
        }
    }
    return finished(db_, std::move(out));
}

// False: the file is damaged, and the connection has failed.
bool reader::read_bounds(std::span<const journal_epoch> of, feed_page& out) {
    auto bounds = bounds_.query();
    if (!bounds.next()) return false;
    const auto epoch = static_cast<std::uint64_t>(bounds.integer(0));
    const auto newest = static_cast<std::uint64_t>(bounds.integer(1));
    const auto floor = static_cast<std::uint64_t>(bounds.integer(2));
    out.oldest = {epoch_at(of, floor), floor};
    out.newest = {epoch, newest};
    return true;
}

result<feed_page> reader::read_feed(const feed_params& params) {
    feed_page out;
    {
        const transaction at_once = snapshot();
        const auto of = read_epochs(db_, epochs_);
        if (read_bounds(of, out)) {
            judge_position(params.after, of, out);
            if (!out.reset) {
                auto entries = feed_.query(params.after.offset, limit_of(params.limit));
                while (entries.next()) out.entries.push_back(read_entry(db_, entries, of));
            }
        }
    }
    return finished(db_, std::move(out));
}

result<feed_position> reader::find_position(timestamp at) {
    feed_position out;
    {
        const transaction at_once = snapshot();
        const auto of = read_epochs(db_, epochs_);
        feed_page bounds;
        if (read_bounds(of, bounds)) {
            std::uint64_t before = bounds.oldest.offset;   // what is here or below is earlier
            std::uint64_t end = bounds.newest.offset + 1;  // what is here or above is not
            while (end - before > 1 && db_.ok()) {
                const std::uint64_t middle = before + (end - before) / 2;
                auto found = time_of_.query(middle);
                if (found.next() && found.time(1) < at) {
                    before = static_cast<std::uint64_t>(found.integer(0));
                } else {
                    end = middle;
                }
            }
            out = {epoch_at(of, before), before};
        }
    }
    return finished(db_, std::move(out));
}

result<statistics> reader::count() {
    statistics out;
    {
        const transaction at_once = snapshot();
        auto counts = counts_.query();
        while (counts.next()) {
            out.orders.push_back({read_status(db_, counts.text(0)),
                                  static_cast<std::uint64_t>(counts.integer(1)),
                                  counts.time_if_any(2)});
        }
        auto totals = totals_.query();
        if (totals.next()) {
            out.completed = static_cast<std::uint64_t>(totals.integer(0));
            out.processing_time = std::chrono::milliseconds{totals.integer(1)};
            out.created = static_cast<std::uint64_t>(totals.integer(2));
        }
    }
    return finished(db_, std::move(out));
}

result<std::optional<feed_position>> reader::find_cursor(std::string_view name) {
    std::optional<feed_position> out;
    {
        auto found = cursor_.query(name);
        if (found.next()) {
            out = {static_cast<std::uint64_t>(found.integer(0)),
                   static_cast<std::uint64_t>(found.integer(1))};
        }
    }
    return finished(db_, std::move(out));
}

result<std::vector<named_cursor>> reader::list_cursors() {
    std::vector<named_cursor> out;
    {
        auto found = cursors_.query();
        while (found.next()) {
            out.push_back({std::string(found.text(0)),
                           {static_cast<std::uint64_t>(found.integer(1)),
                            static_cast<std::uint64_t>(found.integer(2))},
                           found.time(3)});
        }
    }
    return finished(db_, std::move(out));
}

result<std::optional<record>> reader::find_record(const find_record_params& params) {
    return finished(db_, records_.find(params.collection, params.key));
}

result<record_page> reader::list_records(const list_records_params& params) {
    return finished(db_, records_.list(params));
}

result<record_page> reader::list_due_records(const list_due_records_params& params) {
    return finished(db_, records_.list_due(params));
}

result<bool> reader::was_applied(std::string_view writer, std::uint64_t sequence) {
    bool out = false;
    {
        auto found = sequence_.query(writer);
        out = found.next() && static_cast<std::uint64_t>(found.integer(0)) == sequence;
    }
    return finished(db_, std::move(out));
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
