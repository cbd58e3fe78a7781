// What a write does with what it has read, and its second round trip.

#include "storage/postgres/writer.hpp"

#include "storage/postgres/order_row.hpp"
#include "storage/postgres/small_rows.hpp"
#include "storage/postgres/statements.hpp"
#include "storage/postgres/totals.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

constexpr std::int64_t writes_kept = 64;  // at the end of the table, by a cleaning

// Is it a request for work and nothing else?
bool only_claims(const write_params& params) {
    return !params.claims.empty() && params.changes.empty() && params.cursors.empty() &&
           params.records.empty() && params.purges.empty();
}

// A worker's regular look beyond what is due.
bool has_probe(const write_params& params) {
    return std::any_of(params.claims.begin(), params.claims.end(),
                       [](const claim& it) { return it.probe.limit > 0; });
}

// How often, while workers pause, a claim says why.
constexpr std::chrono::minutes pause_told_interval(1);

failure paused(std::uint64_t entries) {
    return {errc::unavailable,
            "workers pause: the journal has lost " + std::to_string(entries) +
                " entries, so some orders may be in an earlier status than they were. They go on "
                "when one of them is started with --resume-after-loss"};
}

write_params without_claims(const write_params& params) {
    write_params out = params;
    out.claims = {};
    return out;
}

}  // namespace

result<void> compare_clocks(timestamp ours, timestamp theirs, std::chrono::milliseconds most) {
    const auto skew = ours > theirs ? ours - theirs : theirs - ours;
    if (most.count() == 0 || skew <= most) return {};
    return failure{errc::unavailable, "the clock of this host says " + to_string(ours) +
                                          " and that of the database " + to_string(theirs) +
                                          ": they must not differ by more than " +
                                          std::to_string(most.count()) + " ms"};
}

// What was lost may have been done: nobody takes orders until somebody who knows has said so.
bool writer::pauses(const write_params& params) const {
    return lost_ > 0 && !shared_.resume_after_loss && !params.claims.empty();
}

result<void> writer::write(const write_params& params, write_results& results) {
    if (only_claims(params)) {
        const auto nothing = finds_nothing(params, results);
        if (!nothing) return nothing.error();
        if (*nothing) return {};
    }
    auto found = read(params, access::locked);
    if (!found) {
        give_up(db_);
        return std::move(found).error();
    }
    if (!plan::is_admitted(params, *found)) {
        db_.roll_back();
        return errc::model_changed;
    }
    if (pauses(params)) {
        write_results rest = results;
        rest.claims = {};
        return plan_and_store(without_claims(params), std::move(*found), rest);
    }
    return plan_and_store(params, std::move(*found), results);
}

result<void> writer::plan_and_store(const write_params& params, plan::found_rows found,
                                    write_results& results) {
    const std::uint64_t epoch = found.epochs.back().epoch;
    plan::planner planner(params, std::move(found));
    planner.run(results);
    if (!planner.result().changed) {
        db_.roll_back();  // nothing to keep, so nothing to sync
        return {};
    }
    add_all(params, planner.result());
    const auto done = commit(db_);
    if (!done) return done.error();
    shared_.seen.saw(timeline_, {epoch, planner.result().sums.position});
    return check(params, *done);
}

result<void> writer::write_within(const write_params& params, write_results& results) {
    auto found = read(params, access::within);
    if (!found) return std::move(found).error();
    plan::planner planner(params, std::move(*found));
    planner.run(results);
    if (!planner.result().changed) return {};
    add_all(params, planner.result());
    const auto done = db_.run();
    if (!done) return done.error();
    return check(params, *done);
}

bool writer::tells_of_pause(timestamp now) {
    if (told_of_loss_ && now - *told_of_loss_ < pause_told_interval) return false;
    told_of_loss_ = now;
    return true;
}

// What a worker asks that waits for something to become due: one small statement.
result<bool> writer::waits(const write_params& params, claim_outcome& out) {
    const claim& what = params.claims.front();
    const record_guard guard = params.guard.value_or(record_guard{});
    bool nothing = false;
    questions about(db_);
    about.start_afresh();
    about.ask(anything_due,
              parameters::of(what.stage->waiting.view(), what.stage->active.view(),
                             guard.collection, guard.key),
              [&](const rows& is) -> result<void> {
                  if (is.is_null(0, 0)) return failure{errc::corrupt, "the totals are gone"};
                  lost_ = is.natural(0, 1);
                  if (pauses(params)) {
                      nothing = true;
                      if (tells_of_pause(params.now)) return paused(lost_);
                      return {};
                  }
                  const std::uint64_t version = is.is_null(0, 2) ? 0 : is.natural(0, 2);
                  if (params.guard && version != guard.version) return {};
                  const write_time at(params.now, is.time(0, 0));
                  std::optional<timestamp> first = is.time_if_any(0, 3);
                  const auto other = is.time_if_any(0, 4);
                  if (other && (!first || *other < *first)) first = other;
                  // A probe also finds what is due later.
                  nothing = !first || (*first > at.stamp && what.probe.limit == 0);
                  if (nothing) claim_selection(what, at).finish(first, 0, out);
                  return {};
              });
    if (auto done = about.run(); !done) return std::move(done).error();
    return nothing;
}

// Workers that find nothing do not queue for the write lock. If there is something, the answer is
// thrown away and the write is done in earnest.
result<bool> writer::finds_nothing(const write_params& params, write_results& results) {
    const claim& first = params.claims.front();
    if (params.claims.size() == 1 && first.only.empty() && first.expired.empty()) {
        return waits(params, results.claims.front());
    }
    if (has_probe(params)) return false;
    auto found = read(params, access::snapshot);
    db_.roll_back();
    if (!found) return std::move(found).error();
    if (!plan::is_admitted(params, *found)) return false;
    if (pauses(params)) {
        if (tells_of_pause(params.now)) return paused(lost_);
        return true;
    }
    plan::planner planner(params, std::move(*found));
    planner.run(results);
    return !planner.result().changed;
}

void writer::add(std::string_view sql, parameters with, std::int64_t rows) {
    db_.add(sql, std::move(with));
    expected_.push_back(rows);
}

void writer::add_all(const write_params& params, const plan::write_set& what) {
    expected_.clear();
    add_orders(what);
    add_index(what);
    add_redactions(what);
    add_entries(what);
    add_keys(what);
    add_cursors_and_records(what);
    if (params.forget_max > 0) add_forgetting(params);
    add_totals(params, what);
}

result<void> writer::check(const write_params& params, const std::vector<rows>& done) {
    if (params.forget_max > 0) forgot_writers_ = true;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
        const std::int64_t changed = done[i].affected();
        if (expected_[i] < 0 || changed == expected_[i]) continue;
        return failure{errc::corrupt, "PostgreSQL has changed " + std::to_string(changed) + " of " +
                                          std::to_string(expected_[i]) + " rows"};
    }
    return {};
}

void writer::add_orders(const plan::write_set& what) {
    if (!what.created.empty()) {
        content_columns contents;
        work_columns work;
        for (const stored_order* it : what.created) {
            contents.add(*it);
            work.add(*it);
        }
        add(insert_orders, std::move(contents).take());
        add(insert_work, std::move(work).take());
    }
    if (!what.moved.empty()) {
        work_columns work;
        for (const stored_order* it : what.moved) work.add(*it);
        add(update_work, std::move(work).take(), static_cast<std::int64_t>(what.moved.size()));
    }
    if (!what.edited.empty()) {
        content_columns contents;
        for (const stored_order* it : what.edited) contents.add(*it);
        add(update_orders, std::move(contents).take(),
            static_cast<std::int64_t>(what.edited.size()));
    }
    if (!what.removed.empty()) {
        array ids(element::bytes);
        array numbers(element::integer);
        array also(element::integer);
        array again(element::integer);
        for (const plan::order_name& it : what.removed) {
            ids.add(std::string_view(it.id));
            for (array* each : {&numbers, &also, &again}) each->add(it.number);
        }
        add(delete_orders, parameters::of(std::move(numbers)),
            static_cast<std::int64_t>(what.removed.size()));
        add(delete_work, parameters::of(std::move(also)),
            static_cast<std::int64_t>(what.removed.size()));
        add(bury, parameters::of(std::move(ids), std::move(again)));
    }
    if (what.purged.empty()) return;
    array numbers(element::integer);
    for (const plan::order_name& it : what.purged) numbers.add(it.number);
    add(delete_entries, parameters::of(std::move(numbers)));
}

void writer::add_entries(const plan::write_set& what) {
    if (what.entries.empty()) return;
    entry_rows out;
    for (const plan::new_entry& it : what.entries) {
        out.add({it.position, it.number, it.version, it.event, it.from, it.status, it.actor,
                 it.reason, it.traceparent, what.at.stamp, it.snapshot});
    }
    add(insert_entries, std::move(out).take());
}

// What goes does so first: another order may get a unique value in the same write.
void writer::add_index(const plan::write_set& what) {
    const auto columns = [](const auto& entries, array& slots, array& values, array& numbers) {
        for (const auto& [number, it] : entries) {
            slots.add(std::int64_t{it.slot});
            values.add(std::string_view(it.value));
            numbers.add(number);
        }
    };
    if (!what.unindexed.empty()) {
        array slots(element::integer), values(element::bytes), numbers(element::integer);
        columns(what.unindexed, slots, values, numbers);
        add(delete_index, parameters::of(std::move(slots), std::move(values), std::move(numbers)),
            static_cast<std::int64_t>(what.unindexed.size()));
    }
    if (what.indexed.empty()) return;
    array slots(element::integer), values(element::bytes), numbers(element::integer),
        unique(element::boolean);
    columns(what.indexed, slots, values, numbers);
    for (const auto& [number, it] : what.indexed) unique.add(it.unique);
    add(insert_index,
        parameters::of(std::move(slots), std::move(values), std::move(numbers), std::move(unique)));
}

void writer::add_redactions(const plan::write_set& what) {
    if (what.redacted.empty()) return;
    array numbers(element::integer), versions(element::integer), snapshots(element::bytes);
    for (const plan::redacted_entry& it : what.redacted) {
        numbers.add(it.number);
        versions.add(static_cast<std::uint64_t>(it.version));
        snapshots.add(std::string_view(it.snapshot));
    }
    add(redact_entries,
        parameters::of(std::move(numbers), std::move(versions), std::move(snapshots)),
        static_cast<std::int64_t>(what.redacted.size()));
}

void writer::add_keys(const plan::write_set& what) {
    if (what.keys.empty()) return;
    key_rows out;
    for (const plan::new_key& it : what.keys) {
        out.add(it.once, it.number, it.version, what.at.now);
    }
    add(insert_keys, std::move(out).take());
}

void writer::add_cursors_and_records(const plan::write_set& what) {
    for (const auto& [name, it] : what.cursors) {
        const std::string_view of = name;
        if (it) {
            add(set_cursor, cursor_row(of, *it));
        } else {
            add(remove_cursor, parameters::of(of));
        }
    }
    for (const auto& [name, it] : what.records) {
        if (it) {
            add(set_record, record_row(name.collection, *it));
        } else {
            add(remove_record,
                parameters::of(std::string_view(name.collection), std::string_view(name.key)));
        }
    }
    if (what.purged.empty()) return;
    array ids(element::bytes);
    for (const plan::order_name& it : what.purged) ids.add(std::string_view(it.id));
    add(delete_records_about, parameters::of(std::move(ids)));
}

// Keys got their ids in the order of their times, unless a clock has stepped back since. Writers
// come with processes: once for each connection is enough.
void writer::add_forgetting(const write_params& params) {
    const auto most = static_cast<std::int64_t>(std::min<std::size_t>(params.forget_max, 1 << 20));
    const timestamp ahead = ahead_of(params);
    if (oldest_key_ && *oldest_key_ > ahead) {
        add(date_keys, parameters::of(params.now, ahead, most));
    }
    if (oldest_key_ && *oldest_key_ < params.forget_before) {
        add(forget_keys, parameters::of(params.forget_before, most));
    }
    if (forgot_writers_) return;
    add(date_writers, parameters::of(params.now, ahead));
    add(forget_writers, parameters::of(params.forget_before));
}

void writer::add_totals(const write_params& params, const plan::write_set& what) {
    const std::int64_t id = latest_id_ + 1;
    if (++stored_ % cleaning_interval == 0) {
        add(forget_writes, parameters::of(params.writer, id - writes_kept));
    }
    add(insert_totals, totals_row(id, what.sums, params.writer, params.sequence, params.now));
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
