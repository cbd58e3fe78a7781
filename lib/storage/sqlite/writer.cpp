#include "writer.hpp"

#include "core/codec_extra.hpp"
#include "epochs.hpp"
#include "order_row.hpp"

#include <orderproc/adapter.hpp>
#include <orderproc/codec.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

std::string select_orders(const char* rest) {
    return std::string("SELECT ") + stored_order_columns + " FROM orders " + rest;
}

bool sets_content(const decltype(change::action)& action) noexcept {
    return std::holds_alternative<edit_order>(action) ||
           std::holds_alternative<annotate_order>(action) ||
           std::holds_alternative<redact_order>(action);
}

// Both statuses of a stage, merged as they come from the index.
std::string due_of_stage() {
    const std::string one = select_orders("WHERE due_at<=?3 AND status=");
    return one + "?1 UNION ALL " + one + "?2 ORDER BY due_at, number LIMIT ?4";
}

}  // namespace

writer::writer(connection& db)
    : db_(db),
      begin_(db, "BEGIN IMMEDIATE"),
      commit_(db, "COMMIT"),
      totals_(db,
              "SELECT epoch, last_number, last_position, last_write_at, removed, completed, "
              "processing_ms, floor FROM totals"),
      set_totals_(db,
                  "UPDATE totals SET last_number=?1, last_position=?2, last_write_at=?3, "
                  "removed=?4, completed=?5, processing_ms=?6"),
      set_sequence_(db,
                    "INSERT INTO writers(writer, sequence, at) VALUES(?1, ?2, ?3) "
                    "ON CONFLICT(writer) DO UPDATE SET sequence=excluded.sequence, "
                    "at=excluded.at"),
      oldest_key_(db, "SELECT at FROM keys ORDER BY id LIMIT 1"),
      forget_keys_(db,
                   "DELETE FROM keys WHERE id IN (SELECT id FROM "
                   "(SELECT id, at FROM keys ORDER BY id LIMIT ?2) WHERE at<?1)"),
      forget_writers_(db, "DELETE FROM writers WHERE at<?1"),
      date_keys_(db,
                 "UPDATE keys SET at=?1 WHERE id IN (SELECT id FROM "
                 "(SELECT id, at FROM keys ORDER BY id LIMIT ?3) WHERE at>?2)"),
      date_writers_(db, "UPDATE writers SET at=?1 WHERE at>?2"),
      add_count_(db,
                 "INSERT INTO counts(status, orders) VALUES(?1, ?2) "
                 "ON CONFLICT(status) DO UPDATE SET orders=orders+excluded.orders"),
      find_(db, select_orders("WHERE order_id=?1")),
      find_number_(db, select_orders("WHERE number=?1")),
      insert_(db, std::string("INSERT INTO orders(") + stored_order_columns +
                      ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,"
                      "?19,?20,?21,?22,?23,?24) ON CONFLICT(order_id) DO NOTHING"),
      update_(db,
              "UPDATE orders SET status=?2, version=?3, attempts=?4, updated_at=?5, "
              "next_attempt_at=?6, first_claimed_at=?7, settled_at=?8, lease=?9, leased=?10, "
              "due_at=?11, lapses=?12, worker_id=?13, last_error=?14, traceparent=?15, "
              "span=?16 "
              "WHERE number=?1"),
      update_fields_(
          db,
          "UPDATE orders SET version=?2, updated_at=?3, user_id=?4, amount=?5, "
          "currency=?6, item_ids=?7, metadata=?8, traceparent=?9, extra=?10 WHERE number=?1"),
      update_lease_(db,
                    "UPDATE orders SET due_at=?2,span=?3,expired_leases=?4,worker_id=?5 "
                    "WHERE number=?1"),
      update_extra_(db, "UPDATE orders SET extra=?2 WHERE number=?1"),
      remove_(db, "DELETE FROM orders WHERE number=?1"),
      bury_(db, "INSERT INTO tombstones(order_id, number) VALUES(?1, ?2)"),
      buried_(db, "SELECT number FROM tombstones WHERE order_id=?1"),
      append_(db,
              "INSERT INTO journal(position, number, version, event, from_status, status, actor, "
              "reason, traceparent, at, snapshot) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"),
      find_key_(db, "SELECT body, number, version FROM keys WHERE key=?1"),
      keep_key_(db, "INSERT INTO keys(key, body, number, version, at) VALUES(?1,?2,?3,?4,?5)"),
      snapshot_(db, "SELECT snapshot FROM journal WHERE number=?1 AND version=?2"),
      snapshots_(db,
                 "SELECT position, version, snapshot FROM journal WHERE number=?1 "
                 "ORDER BY version DESC"),
      set_snapshot_(db, "UPDATE journal SET snapshot=?2 WHERE position=?1"),
      due_(db, due_of_stage()),
      in_range_(db, select_orders("WHERE status=?1 AND due_at IS NOT NULL AND due_at>=?2 AND "
                                  "(due_at>?2 OR number>?3) ORDER BY due_at, number LIMIT ?4")),
      first_due_(db,
                 "SELECT due_at FROM orders WHERE status=?1 AND due_at IS NOT NULL "
                 "ORDER BY due_at LIMIT 1"),
      cursor_(db, "SELECT owner, epoch, position, expires_at, moved_at FROM cursors WHERE name=?1"),
      set_cursor_(db,
                  "INSERT INTO cursors(name, owner, epoch, position, expires_at, moved_at) "
                  "VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT(name) DO UPDATE SET "
                  "owner=excluded.owner, epoch=excluded.epoch, position=excluded.position, "
                  "expires_at=excluded.expires_at, moved_at=excluded.moved_at"),
      remove_cursor_(db, "DELETE FROM cursors WHERE name=?1"),
      cursors_(db, "SELECT name, epoch, position, moved_at FROM cursors"),
      epochs_(db, all_epochs),
      walk_(db,
            "SELECT journal.position, journal.number, journal.version, journal.at, "
            "orders.order_id, orders.status, orders.version, orders.settled_at, "
            "orders.extra IS NOT NULL "
            "FROM journal LEFT JOIN orders ON orders.number=journal.number "
            "WHERE journal.position>?1 ORDER BY journal.position LIMIT ?2"),
      remove_entries_(db, "DELETE FROM journal WHERE number=?1 AND position<=?2"),
      has_entries_(db, "SELECT 1 FROM journal WHERE number=?1 LIMIT 1"),
      set_floor_(db, "UPDATE totals SET floor=?1"),
      last_buried_(db, "SELECT max(order_id) FROM tombstones"),
      index_(db),
      records_(db) {}

result<void> writer::write(const write_params& params, write_results& results) {
    transaction all(db_, begin_);
    apply_all(params, results);
    if (db_.ok() && !dirty_) return {};  // nothing to keep, so nothing to sync
    end(params);
    return all.commit(commit_);
}

result<void> writer::write_within(const write_params& params, write_results& results) {
    savepoint all(db_);
    if (auto begun = db_.finish(); !begun) return begun;
    apply_all(params, results);
    if (dirty_) end(params);
    if (auto done = db_.finish(); !done) return done;
    return all.release();
}

void writer::apply_all(const write_params& params, write_results& results) {
    begin(params);
    if (params.guard) expect(*params.guard);
    for (std::size_t i = 0; i < params.changes.size() && db_.ok(); ++i) {
        apply(params.changes[i], results.changes[i]);
    }
    for (std::size_t i = 0; i < params.claims.size() && db_.ok(); ++i) {
        results.claims[i] = apply(params.claims[i]);
    }
    for (std::size_t i = 0; i < params.cursors.size() && db_.ok(); ++i) {
        results.cursors[i] = apply(params.cursors[i]);
    }
    for (std::size_t i = 0; i < params.records.size() && db_.ok(); ++i) {
        results.records[i] = records_.apply(params.records[i]);
        dirty_ = dirty_ || !results.records[i].ec;
    }
    for (std::size_t i = 0; i < params.purges.size() && db_.ok(); ++i) {
        results.purges[i] = apply(params.purges[i], params);
    }
}

void writer::begin(const write_params& params) {
    counts_.clear();
    auto row = totals_.query();
    if (!row.next()) {
        if (db_.ok()) db_.fail(errc::corrupt, "the totals are gone");
        return;
    }
    sums_ = {static_cast<std::uint64_t>(row.integer(0)),
             row.integer(1),
             row.integer(2),
             row.time(3),
             row.integer(4),
             row.integer(5),
             row.integer(6),
             row.integer(7)};
    at_ = {params.now, sums_.last_write_at};
    buried_max_.clear();
    if (sums_.removed > 0) {
        auto last = last_buried_.query();
        if (last.next()) buried_max_ = last.text(0);
    }
    dirty_ = false;
    appended_ = false;
    redacted_ = false;
}

void writer::expect(const record_guard& guard) {
    const auto found = records_.find(guard.collection, guard.key);
    if (guard.version == (found ? found->version : 0)) return;
    db_.fail(errc::model_changed, {});
}

void writer::end(const write_params& params) {
    set_totals_.run(sums_.number, sums_.position, at_.stamp, sums_.removed, sums_.completed,
                    sums_.processing_ms);
    for (const auto& [status, by] : counts_) {
        if (by != 0) add_count_.run(status.view(), by);
    }
    set_sequence_.run(params.writer, params.sequence, at_.now);
    if (params.forget_max > 0) forget(params);
}

// Keys got their ids in the order of their times, unless the clock has stepped back since.
// Writers come with processes: once is enough.
void writer::forget(const write_params& params) {
    const auto most = static_cast<std::int64_t>(std::min<std::size_t>(params.forget_max, 1 << 20));
    const timestamp ahead = ahead_of(params);
    std::optional<timestamp> oldest;
    {
        auto found = oldest_key_.query();
        if (found.next()) oldest = found.time(0);
    }
    if (oldest && *oldest > ahead) date_keys_.run(params.now, ahead, most);
    if (oldest && *oldest < params.forget_before) forget_keys_.run(params.forget_before, most);
    if (std::exchange(forgot_writers_, true)) return;
    date_writers_.run(params.now, ahead);
    forget_writers_.run(params.forget_before);
}

std::optional<stored_order> writer::find(std::string_view id) {
    auto found = find_.query(id);
    if (!found.next()) return std::nullopt;
    return read_stored_order(db_, found);
}

std::optional<stored_order> writer::find(std::int64_t number) {
    auto found = find_number_.query(number);
    if (!found.next()) return std::nullopt;
    return read_stored_order(db_, found);
}

// For the column extra; valid until it is called again. An order with index entries has some.
std::optional<blob> writer::extra_of(const stored_order& it) {
    if (!has_extra(it.value)) return std::nullopt;
    extra_.clear();
    encode_extra(it.value, extra_);
    append_index(it.index, extra_);
    return blob(extra_);
}

// False if the id is taken.
bool writer::insert(const stored_order& stored) {
    const order& it = stored.value;
    buffer_.clear();
    print_items(it.item_ids, buffer_);
    return insert_.run(it.number, it.id.view(), user_key(it.user), it.status.view(),
                       static_cast<std::uint64_t>(it.version), it.attempts,
                       it.total_amount.minor_units, it.total_amount.currency.view(), it.created_at,
                       it.updated_at, it.next_attempt_at, it.first_claimed_at, it.settled_at,
                       std::string_view(it.last_error), std::string_view(buffer_),
                       std::string_view(it.metadata), extra_of(stored),
                       static_cast<std::uint64_t>(stored.lease), stored.leased, stored.due_at,
                       stored.expired_leases, std::string_view(stored.worker_id),
                       std::string_view(stored.traceparent), stored.span.count()) == 1;
}

// The change of an order that is there, made by a change or, without one, by a claim.
void writer::store(const evaluation& what, const change* by) {
    const stored_order& stored = what.after;
    const order& it = stored.value;
    dirty_ = dirty_ || what.journaled || (by && std::holds_alternative<renew_lease>(by->action));
    if (by && sets_content(by->action)) {
        buffer_.clear();
        print_items(it.item_ids, buffer_);
        update_fields_.run(
            it.number, static_cast<std::uint64_t>(it.version), it.updated_at, user_key(it.user),
            it.total_amount.minor_units, it.total_amount.currency.view(), std::string_view(buffer_),
            std::string_view(it.metadata), std::string_view(stored.traceparent), extra_of(stored));
    } else if (by && std::holds_alternative<renew_lease>(by->action)) {
        update_lease_.run(it.number, stored.due_at, stored.span.count(), stored.expired_leases,
                          std::string_view(stored.worker_id));
    } else if (by && std::holds_alternative<index_order>(by->action)) {
        update_extra_.run(it.number, extra_of(stored));
    } else if (what.removed) {
        remove_.run(it.number);
        bury(it.id.view(), it.number);
        count(it.status, -1);
    } else if (what.journaled) {
        update_.run(it.number, it.status.view(), static_cast<std::uint64_t>(it.version),
                    it.attempts, it.updated_at, it.next_attempt_at, it.first_claimed_at,
                    it.settled_at, static_cast<std::uint64_t>(stored.lease), stored.leased,
                    stored.due_at, stored.expired_leases, std::string_view(stored.worker_id),
                    std::string_view(it.last_error), std::string_view(stored.traceparent),
                    stored.span.count());
        if (what.from) count(*what.from, -1);
        count(it.status, 1);
    }
    if (what.completed) {
        ++sums_.completed;
        if (it.first_claimed_at) sums_.processing_ms += (at_.stamp - *it.first_claimed_at).count();
    }
    if (what.journaled) append(what);
}

void writer::bury(std::string_view id, std::int64_t number) {
    bury_.run(id, number);
    ++sums_.removed;
    buried_max_ = std::max<std::string_view>(buried_max_, id);
}

void writer::append(const evaluation& what) {
    const order& it = what.after.value;
    appended_ = true;
    buffer_.clear();
    encode(it, buffer_);
    const auto from = what.from ? std::optional(what.from->view()) : std::nullopt;
    append_.run(++sums_.position, it.number, static_cast<std::uint64_t>(it.version), what.event,
                from, it.status.view(), what.actor, std::string_view(what.reason),
                std::string_view(what.after.traceparent), at_.stamp, blob(buffer_));
}

void writer::count(order_status status, std::int64_t by) {
    for (auto& [known, sum] : counts_) {
        if (known == status) {
            sum += by;
            return;
        }
    }
    counts_.emplace_back(status, by);
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
