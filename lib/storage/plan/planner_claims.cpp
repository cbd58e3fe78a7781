// Claims and purges.

#include "storage/plan/planner.hpp"

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace detail::plan {

claim_outcome planner::apply(const claim& what) {
    claim_outcome out;
    claim_selection selection(what, out_.at);
    const auto offers = candidates(what, selection, out);
    for (const std::int64_t number : offers) {
        if (selection.done()) break;
        row& it = rows_.at(number);
        auto verdict = selection.offer(it.it);
        if (!verdict) continue;
        it.it = verdict->after;
        touch(it);
        count(*verdict, it.it.value);
        append(*verdict, it.it);
        selection.take(std::move(*verdict), out);
    }
    std::optional<timestamp> first;
    for (const order_status status : {what.stage->waiting, what.stage->active}) {
        const auto due_at = first_due(status);
        if (due_at && (!first || *due_at < *first)) first = due_at;
    }
    selection.finish(first, offers.size(), out);
    return out;
}

// In the order of offering, each once.
std::vector<std::int64_t> planner::candidates(const claim& what, claim_selection& selection,
                                              claim_outcome& out) {
    std::vector<std::pair<timestamp, std::int64_t>> ranked;
    const auto add = [&](const row& it) {
        const order_status status = it.it.value.status;
        if (status != what.stage->waiting && status != what.stage->active) return;
        if (const auto rank = selection.rank(it.it)) {
            ranked.emplace_back(*rank, it.it.value.number);
        }
    };
    const auto add_named = [&](const std::string& id) {
        if (const row* it = find(id)) add(*it);
    };
    for (const std::string& id : what.only) add_named(id);
    for (const doubtful_lease& it : what.expired) add_named(it.order);
    if (what.only.empty()) {
        for (const order_status status : {what.stage->waiting, what.stage->active}) {
            std::vector<due_position> due = found_.due.at(status);
            // Only up to here the orders were read as well.
            std::erase_if(due, [&](const due_position& it) { return it.due_at > out_.at.stamp; });
            for (const due_position& it : first_of({status, {}, what.limit}, due)) {
                add(rows_.at(it.number));
            }
        }
    }
    for (const due_range& range : selection.ranges()) {
        for (const due_position& place : first_of(range, found_.ranges.at(ranges_seen_++))) {
            const row& it = rows_.at(place.number);
            if (selection.survey(it.it, out)) add(it);
        }
    }
    std::sort(ranked.begin(), ranked.end());
    ranked.erase(std::unique(ranked.begin(), ranked.end()), ranked.end());
    std::vector<std::int64_t> numbers;
    numbers.reserve(ranked.size());
    for (const auto& [rank, number] : ranked) numbers.push_back(number);
    return numbers;
}

// The orders in the range as it is now. there: as it was, as far as it was read.
std::vector<due_position> planner::first_of(const due_range& range,
                                            const std::vector<due_position>& there) const {
    std::vector<due_position> out;
    for (const due_position& it : there) {
        if (out.size() == range.limit) break;
        const auto known = rows_.find(it.number);
        const bool touched = known != rows_.end() && known->second.touched;
        if (it > range.after && !touched) out.push_back(it);
    }
    for (const std::int64_t number : touched_) {
        const row& it = rows_.at(number);
        if (it.removed || it.it.value.status != range.status || !it.it.due_at) continue;
        const due_position place{*it.it.due_at, number};
        if (place > range.after) out.push_back(place);
    }
    std::sort(out.begin(), out.end());
    if (out.size() > range.limit) out.resize(range.limit);
    return out;
}

// REQUIRES: the status is that of a claim of this write.
std::optional<timestamp> planner::first_due(order_status status) const {
    const auto found = first_of({status, {}, 1}, found_.due.at(status));
    return found.empty() ? std::nullopt : std::optional(found.front().due_at);
}

std::vector<named_cursor> planner::cursors() const {
    std::vector<named_cursor> out;
    const auto add = [&out](const std::string& name, const stored_cursor& it) {
        out.push_back({name, it.at, it.moved_at});
    };
    for (const auto& [name, it] : found_.cursors) {
        if (!out_.cursors.contains(name)) add(name, it);
    }
    for (const auto& [name, it] : out_.cursors) {
        if (it) add(name, *it);
    }
    return out;
}

purge_outcome planner::apply(const purge_orders& what) {
    std::uint64_t& floor = out_.sums.floor;
    const std::uint64_t newest = out_.sums.position - out_.entries.size();  // the rest is too young
    purge_bounds bounds(what, params_, cursors(), found_.epochs, floor, newest);
    purge_outcome out;
    const std::uint64_t before = floor;
    while (floor < newest) {
        const walked_entry& entry = found_.walk.at(floor - first_floor_);
        if (!bounds.passes(floor + 1, entry.at)) break;
        out.more = floor - before == what.limit;
        if (out.more) break;
        ++floor;
        purge(entry, out);
    }
    out_.changed = out_.changed || floor != before;
    out.held_by = bounds.held_by();
    out.floor = {epoch_at(found_.epochs, floor), floor};
    return out;
}

void planner::purge(const walked_entry& last, purge_outcome& out) {
    const auto known = rows_.find(last.number);
    const order* current = last.current ? &*last.current : nullptr;
    if (known != rows_.end()) {
        current = known->second.removed ? nullptr : &known->second.it.value;
    }
    const bool goes_on = std::any_of(out_.entries.begin(), out_.entries.end(),
                                     [&](const new_entry& it) { return it.number == last.number; });
    if (goes_on || !ends_with(current, last.version, last.latest)) return;
    out_.purged.push_back({last.number, last.id});
    // Versions have no gaps, and each has an entry.
    out.entries += static_cast<std::uint64_t>(last.version);
    if (!current) return;  // its id is buried already
    ++out.orders;
    --out_.sums.statuses[current->status].orders;
    out_.removed.push_back({last.number, last.id});
    if (known == rows_.end()) return reindex(last.number, last.index, {});
    touch(known->second);
    known->second.removed = true;
}

}  // namespace detail::plan
}  // namespace v1
}  // namespace orderproc
