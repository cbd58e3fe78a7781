#include <orderproc/feed.hpp>

#include <algorithm>

namespace orderproc {
inline namespace v1 {

bool matches_everything(const feed_filter& it) noexcept {
    return it.orders.empty() && it.scope.everybody() && it.statuses.empty() && it.events.empty();
}

bool matches(const feed_filter& filter, const journal_entry& it) noexcept {
    const auto wanted = [](const auto& of, const auto& value) {
        return of.empty() || std::find(of.begin(), of.end(), value) != of.end();
    };
    return wanted(filter.orders, it.after.id) && filter.scope.admits(it.after) &&
           wanted(filter.events, it.event) &&
           (filter.statuses.empty() ||
            (it.event != "delete" && wanted(filter.statuses, it.after.status)));
}

}  // namespace v1
}  // namespace orderproc
