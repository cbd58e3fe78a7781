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
    }
}

void read_claims(const write_params& params, read_set& out) {
    std::vector<order_status> statuses;
    for (const claim& it : params.claims) {
        out.ids.insert(out.ids.end(), it.only.begin(), it.only.end());
        for (const doubtful_lease& lease : it.expired) out.ids.push_back(lease.order);
        statuses.push_back(it.stage->waiting);
        statuses.push_back(it.stage->active);
    }
    sort_out_repeats(statuses);
    // Beyond what may be touched one remains: the first that is due when all is done.
    const std::size_t rows = add_up(add_up(moved_by_claims(params), out.ids.size()), 1);
    for (const order_status status : statuses) out.due.push_back({status, rows});
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
    sort_out_repeats(out.ids);
    sort_out_repeats(out.new_ids);
    sort_out_repeats(out.keys);
    sort_out_repeats(out.cursors);
    sort_out_repeats(out.records);
    return out;
}

later_reads later_reads_of(const write_params& params, const totals& sums) {
    later_reads out;
    const write_time at(params.now, sums.stamp);
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

}  // namespace detail::plan
}  // namespace v1
}  // namespace orderproc
