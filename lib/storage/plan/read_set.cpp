#include "storage/plan/read_set.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail::plan {

namespace {

template <class T>
void sort_out_repeats(std::vector<T>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

std::size_t add_up(std::size_t a, std::size_t b) {
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
    return std::min(most, std::min(most, a) + std::min(most, b));
}

// How many orders the claims may take out of their places in the index.
std::size_t moved_by_claims(const write_params& params) {
    std::size_t out = 0;
    for (const claim& it : params.claims) out = add_up(out, it.limit);
    return out;
}

void read_changes(const write_params& params, read_set& out) {
    for (const change& it : params.changes) {
        out.ids.push_back(it.order);
        if (std::holds_alternative<create_order>(it.action)) out.new_ids.push_back(it.order);
        if (it.idempotency_key) out.keys.push_back(it.idempotency_key->key);
        if (std::holds_alternative<redact_order>(it.action)) out.redacted.push_back(it.order);
    }
}

// Can it give the order a value that no other order has?
bool may_take_values(const change& it) {
    if (!it.model || !it.model->has_unique()) return false;
    return std::holds_alternative<create_order>(it.action) ||
           std::holds_alternative<edit_order>(it.action) ||
           std::holds_alternative<annotate_order>(it.action) ||
           std::holds_alternative<index_order>(it.action);
}

// By judging the change before its time: the orders that it is about are known.
void read_values(const write_params& params, const found_rows& found, later_reads& out) {
    for (const change& it : params.changes) {
        if (!may_take_values(it)) continue;
        const auto current = std::find_if(
            found.orders.begin(), found.orders.end(),
            [&](const stored_order& known) { return known.value.id.view() == it.order; });
        const auto verdict = evaluate(current == found.orders.end() ? nullptr : &*current, it,
                                      write_time(params.now, found.sums.stamp));
        if (!verdict) continue;
        for (const index_entry& entry : verdict->after.index) {
            if (entry.unique) out.values.push_back({entry.slot, entry.value});
        }
    }
    sort_out_repeats(out.values);
}

void read_claims(const write_params& params, read_set& out) {
    std::vector<order_status> waiting;
    std::vector<order_status> active;
    for (const claim& it : params.claims) {
        out.ids.insert(out.ids.end(), it.only.begin(), it.only.end());
        for (const doubtful_lease& lease : it.expired) out.ids.push_back(lease.order);
        waiting.push_back(it.stage->waiting);
        active.push_back(it.stage->active);
    }
    sort_out_repeats(waiting);
    sort_out_repeats(active);
    // Beyond what may be touched one remains: the first that is due when all is done. A change of
    // whoever holds the lease touches no order that waits.
    const auto leased = static_cast<std::size_t>(
        std::count_if(params.changes.begin(), params.changes.end(),
                      [](const change& it) { return it.lease.has_value(); }));
    const std::size_t rows = add_up(moved_by_claims(params), out.ids.size() + 1);
    for (const order_status status : waiting) out.due.push_back({status, rows - leased});
    for (const order_status status : active) out.due.push_back({status, rows});
}

}  // namespace

read_set reads_of(const write_params& params) {
    read_set out;
    read_changes(params, out);
    read_claims(params, out);
    out.all_cursors = !params.purges.empty();
    if (!out.all_cursors) {
        for (const commit_cursor& it : params.cursors) out.cursors.push_back(it.name);
    }
    for (const change_record& it : params.records) out.records.push_back({it.collection, it.key});
    if (params.guard) {
        out.records.push_back(
            {std::string(params.guard->collection), std::string(params.guard->key)});
    }
    sort_out_repeats(out.ids);
    sort_out_repeats(out.new_ids);
    sort_out_repeats(out.keys);
    sort_out_repeats(out.cursors);
    sort_out_repeats(out.records);
    return out;
}

later_reads later_reads_of(const write_params& params, const found_rows& found) {
    later_reads out;
    read_values(params, found, out);
    const write_time at(params.now, found.sums.stamp);
    const std::size_t touched = add_up(moved_by_claims(params), reads_of(params).ids.size());
    for (const claim& it : params.claims) {
        for (due_range range : claim_selection(it, at).ranges()) {
            range.limit = add_up(range.limit, touched);
            out.ranges.push_back(range);
        }
    }
    for (const purge_orders& it : params.purges) {
        out.walk = add_up(out.walk, add_up(it.limit, 1));
    }
    return out;
}

bool is_admitted(const write_params& params, const found_rows& found) {
    if (!params.guard) return true;
    const auto it =
        found.records.find({std::string(params.guard->collection), std::string(params.guard->key)});
    return (it == found.records.end() ? 0 : it->second.version) == params.guard->version;
}

}  // namespace detail::plan
}  // namespace v1
}  // namespace orderproc
