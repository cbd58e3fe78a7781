#include <orderproc/copy.hpp>

#include <optional>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::int64_t low_part = 1'000'000'000;

std::string counted(const std::string& what, std::uint64_t from, std::uint64_t to) {
    return std::to_string(from) + " " + what + " in the source and " + std::to_string(to) +
           " in the copy";
}

// What is not the same, for people; empty: everything is.
std::string difference(const storage_tally& from, const storage_tally& to) {
    if (from.orders != to.orders) return counted("orders", from.orders, to.orders);
    if (from.entries != to.entries) return counted("journal entries", from.entries, to.entries);
    if (from.keys != to.keys) return counted("idempotency keys", from.keys, to.keys);
    if (from.names != to.names) return counted("ids of deleted orders", from.names, to.names);
    if (from.cursors != to.cursors) return counted("cursors", from.cursors, to.cursors);
    if (from.records != to.records) return counted("records", from.records, to.records);
    if (from.statuses != to.statuses) return "the number of orders in a status is not the same";
    if (from.amounts != to.amounts) return "the sum of a currency is not the same";
    return {};
}

}  // namespace

std::string to_string(const amount_sum& sum) {
    const std::int64_t high = sum.high + sum.low / low_part;
    std::string low = std::to_string(sum.low % low_part);
    if (high == 0) return low;
    return std::to_string(high) + std::string(9 - low.size(), '0') + low;
}

result<storage_tally> copy_storage(
    storage_source& from, storage_target& to,
    const std::function<void(const storage_tally&, const storage_tally&)>& progress) {
    const auto totals = from.totals();
    if (!totals) return totals.error();
    if (auto begun = to.begin(*totals); !begun) return std::move(begun).error();
    const auto all = from.count();
    if (!all) return all.error();
    storage_tally so_far;
    while (true) {
        const auto next = from.next();
        if (!next) return next.error();
        const std::optional<storage_part>& part = *next;
        if (!part) break;
        if (auto added = to.add(*part); !added) return std::move(added).error();
        so_far.orders += part->orders.size();
        so_far.entries += part->entries.size();
        if (progress) progress(so_far, *all);
    }
    auto copied = to.count();
    if (!copied) return copied;
    if (*copied != *all) return failure{errc::corrupt, difference(*all, *copied)};
    if (totals->statuses != copied->statuses) {
        return failure{errc::corrupt,
                       "the source counts its orders wrongly: orderproc verify says how"};
    }
    if (auto done = to.commit(); !done) return std::move(done).error();
    return copied;
}

}  // namespace v1
}  // namespace orderproc
