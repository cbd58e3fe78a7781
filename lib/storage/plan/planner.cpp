#include "storage/plan/planner.hpp"

#include <orderproc/codec.hpp>

#include <algorithm>
#include <span>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail::plan {

planner::planner(const write_params& params, found_rows found)
    : params_(params), found_(std::move(found)), first_floor_(found_.sums.floor) {
    out_.at = write_time(params.now, found_.sums.stamp);
    out_.sums = std::move(found_.sums);
    for (stored_order& it : found_.orders) {
        const std::int64_t number = it.value.number;
        if (rows_.contains(number)) continue;
        numbers_.emplace(it.value.id.view(), number);
        std::vector<index_entry> index = it.index;
        rows_.emplace(number, row{std::move(it), std::move(index)});
    }
    std::sort(found_.buried.begin(), found_.buried.end());
}

void planner::run(write_results& results) {
    for (std::size_t i = 0; i < params_.changes.size(); ++i) {
        apply(params_.changes[i], results.changes[i]);
    }
    for (std::size_t i = 0; i < params_.claims.size(); ++i) {
        results.claims[i] = apply(params_.claims[i]);
    }
    for (std::size_t i = 0; i < params_.cursors.size(); ++i) {
        results.cursors[i] = apply(params_.cursors[i]);
    }
    for (std::size_t i = 0; i < params_.records.size(); ++i) {
        results.records[i] = apply(params_.records[i]);
    }
    for (std::size_t i = 0; i < params_.purges.size(); ++i) {
        results.purges[i] = apply(params_.purges[i]);
    }
    if (out_.changed) finish();
}

planner::row* planner::find(std::string_view id) {
    const auto known = numbers_.find(id);
    if (known == numbers_.end()) return nullptr;
    row& it = rows_.at(known->second);
    return it.removed ? nullptr : &it;
}

void planner::touch(row& it) {
    if (it.touched) return;
    touched_.push_back(it.it.value.number);
    it.touched = true;
}

void planner::apply(const change& what, change_outcome& out) {
    if (what.idempotency_key && replay(*what.idempotency_key, out)) return;
    if (std::holds_alternative<create_order>(what.action)) {
        create(what, out);
    } else {
        modify(what, out);
    }
    if (!what.idempotency_key || out.ec) return;
    out_.changed = true;
    out_.keys.push_back({*what.idempotency_key, out.after->number, out.after->version});
}

bool planner::replay(const idempotency& once, change_outcome& out) const {
    const auto used = found_.keys.find(once.key);
    if (used == found_.keys.end()) return false;
    if (used->second.body != once.body) {
        out.ec = errc::idempotency_mismatch;
    } else if (used->second.answer) {
        out.replayed = true;
        out.after = used->second.answer;
    } else {
        out.ec = errc::not_found;
    }
    return true;
}

void planner::create(const change& what, change_outcome& out) {
    const row* const known = find(what.order);
    const bool buried = std::binary_search(found_.buried.begin(), found_.buried.end(), what.order);
    if (known || buried) {
        out = refuse(what, errc::already_exists, known ? &known->it : nullptr);
        return;
    }
    auto verdict = evaluate(nullptr, what, out_.at);
    if (!verdict) {
        out = refuse(what, verdict.error().code, nullptr);
        return;
    }
    if (const stored_order* const holder = find_holder(*verdict, nullptr)) {
        out = refuse_taken(what, *verdict, *holder);
        return;
    }
    const std::int64_t number = ++out_.sums.number;
    verdict->after.value.number = number;
    numbers_.emplace(what.order, number);
    row& made = rows_.emplace(number, row{std::move(verdict->after)}).first->second;
    made.is_new = true;
    touch(made);
    take_values(made.it);
    count(*verdict, made.it.value);
    append(*verdict, made.it);
    out.journaled = true;
    out.after = made.it.value;
}

void planner::modify(const change& what, change_outcome& out) {
    row* const known = find(what.order);
    if (!known) return redact_deleted(what, out);
    // A change may be refused after it was judged, and one that finds its work done keeps the
    // trace.
    const auto* const move = std::get_if<transition_order>(&what.action);
    const bool refreshes = std::holds_alternative<index_order>(what.action);
    const bool keeps =
        refreshes || (what.model && what.model->has_unique()) || (move && move->repeatable);
    std::optional<stored_order> before;
    if (keeps) before = known->it;
    auto verdict = evaluate(std::move(known->it), what, out_.at);
    if (!verdict) {
        out = refuse(what, verdict.error().code, &known->it);
        return;
    }
    if (const stored_order* const holder = find_holder(*verdict, known)) {
        out = refuse_taken(what, *verdict, *holder);
        known->it = std::move(*before);
        return;
    }
    out.journaled = verdict->journaled;
    out.after = verdict->after.value;
    if (!verdict->journaled && move) {
        known->it = std::move(*before);
        return;
    }
    if (refreshes) verdict->after.traceparent = before->traceparent;
    known->it = std::move(verdict->after);
    touch(*known);
    take_values(known->it);
    out_.changed = true;
    known->edited = known->edited || std::holds_alternative<edit_order>(what.action) ||
                    std::holds_alternative<annotate_order>(what.action) || refreshes ||
                    verdict->redacted;
    if (verdict->redacted) redact(what, known->it.value.number);
    if (!verdict->journaled) return;
    count(*verdict, known->it.value);
    append(*verdict, known->it);
    if (!verdict->removed) return;
    known->removed = true;
    out_.removed.push_back({known->it.value.number, what.order});
}

// An order that is not there: whatever it is, it is refused, unless it is to be redacted and has
// left a journal.
void planner::redact_deleted(const change& what, change_outcome& out) {
    const auto entries = found_.entries.find(what.order);
    const bool left = entries != found_.entries.end() && !entries->second.empty();
    auto verdict = left ? evaluate_deleted(order(entries->second.back()), what, out_.at)
                        : evaluate(nullptr, what, out_.at);
    if (!verdict) {
        out = refuse(what, verdict.error().code, nullptr);
        return;
    }
    redact(what, verdict->after.value.number);
    append(*verdict, verdict->after);
    out.journaled = true;
    out.after = std::move(verdict->after.value);
}

// Its earlier entries, and what is about it.
void planner::redact(const change& what, std::int64_t number) {
    for (order& it : found_.entries[what.order]) {
        redacted_entry& entry = out_.redacted.emplace_back();
        entry.number = number;
        entry.version = it.version;
        orderproc::redact(what, it);
        encode(it, entry.snapshot);
    }
    for (const record_name& it : found_.about[what.order]) {
        out_.records.insert_or_assign(it, std::nullopt);
    }
}

// From now on other orders of this write cannot have them.
void planner::take_values(const stored_order& it) {
    for (const index_entry& entry : it.index) {
        if (entry.unique) found_.holders[{entry.slot, entry.value}] = it.value.number;
    }
}

// An order that has a unique value which the change would add.
const stored_order* planner::find_holder(const evaluation& wanted, const row* current) const {
    const std::span<const index_entry> before =
        current ? current->index : std::span<const index_entry>();
    for (const index_entry& it : entries_beyond(wanted.after.index, before)) {
        if (!it.unique) continue;
        const auto found = found_.holders.find({it.slot, it.value});
        if (found == found_.holders.end()) continue;
        const row& holder = rows_.at(found->second);
        const auto& has = holder.it.index;
        const bool gave_up = holder.removed || !std::binary_search(has.begin(), has.end(), it);
        if (&holder != current && !gave_up) return &holder.it;
    }
    return nullptr;
}

void planner::reindex(std::int64_t number, const std::vector<index_entry>& before,
                      const std::vector<index_entry>& after) {
    for (index_entry& it : entries_beyond(before, after)) {
        out_.unindexed.emplace_back(number, std::move(it));
    }
    for (index_entry& it : entries_beyond(after, before)) {
        out_.indexed.emplace_back(number, std::move(it));
    }
}

// The order has come from the evaluation's status to its own, or out of it.
void planner::count(const evaluation& what, const order& after) {
    if (what.from) --out_.sums.statuses[*what.from].orders;
    if (!what.removed) ++out_.sums.statuses[after.status].orders;
    if (!what.completed) return;
    ++out_.sums.completed;
    if (after.first_claimed_at) {
        out_.sums.processing_time += out_.at.stamp - *after.first_claimed_at;
    }
}

void planner::append(const evaluation& what, const stored_order& after) {
    out_.changed = true;
    new_entry& it = out_.entries.emplace_back();
    it.position = ++out_.sums.position;
    it.number = after.value.number;
    it.version = after.value.version;
    it.event = what.event;
    it.from = what.from;
    it.status = after.value.status;
    it.actor = what.actor;
    it.reason = what.reason;
    it.traceparent = after.traceparent;
    encode(after.value, it.snapshot);
}

std::optional<stored_cursor> planner::find_cursor(std::string_view name) const {
    if (const auto it = out_.cursors.find(name); it != out_.cursors.end()) return it->second;
    const auto it = found_.cursors.find(name);
    return it == found_.cursors.end() ? std::nullopt : std::optional(it->second);
}

cursor_outcome planner::apply(const commit_cursor& what) {
    std::optional<stored_cursor> kept = find_cursor(what.name);
    const bool there = kept.has_value();
    if (!there) kept = stored_cursor{{epoch(), 0}, {}};
    const cursor_outcome out = evaluate(*kept, what, out_.at.now);
    if (out.ec || (what.remove && !there)) return out;
    out_.changed = true;
    if (what.remove) kept.reset();
    out_.cursors.insert_or_assign(what.name, std::move(kept));
    return out;
}

record_outcome planner::apply(const change_record& what) {
    const record_name name{what.collection, what.key};
    std::optional<record> kept;
    if (const auto it = out_.records.find(name); it != out_.records.end()) {
        kept = it->second;
    } else if (const auto old = found_.records.find(name); old != found_.records.end()) {
        kept = old->second;
    }
    record_outcome out = evaluate(kept, what, out_.sums.record_version + 1);
    if (out.ec) return out;
    out_.changed = true;
    ++out_.sums.record_version;
    out_.records.insert_or_assign(name, std::move(kept));
    return out;
}

// Sorts what was touched by what has to be done, and notes where the due times begin now.
void planner::finish() {
    for (const auto& [status, there] : found_.due) {
        out_.sums.statuses[status].due_from = first_due(status).value_or(timestamp::max());
    }
    for (const std::int64_t number : touched_) {
        const row& it = rows_.at(number);
        reindex(number, it.index, it.removed ? std::vector<index_entry>() : it.it.index);
        if (it.removed) continue;
        (it.is_new ? out_.created : out_.moved).push_back(&it.it);
        if (it.edited && !it.is_new) out_.edited.push_back(&it.it);
        if (!it.it.due_at) continue;
        timestamp& from = out_.sums.statuses[it.it.value.status].due_from;
        from = std::min(from, *it.it.due_at);
    }
    out_.sums.stamp = out_.at.stamp;
}

}  // namespace detail::plan
}  // namespace v1
}  // namespace orderproc
