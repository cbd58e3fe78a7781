#ifndef ORDERPROC_FEED_FILTER_HPP
#define ORDERPROC_FEED_FILTER_HPP

// Which journal entries a subscriber gets.

#include <orderproc/feed.hpp>

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace detail {

inline bool matches_everything(const feed_filter& it) noexcept {
    return it.orders.empty() && it.scope.everybody() && it.statuses.empty() && it.events.empty();
}

inline bool matches(const feed_filter& filter, const journal_entry& it) noexcept {
    const auto wanted = [](const auto& of, const auto& value) {
        return of.empty() || std::find(of.begin(), of.end(), value) != of.end();
    };
    return wanted(filter.orders, it.after.id) && filter.scope.admits(it.after) &&
           wanted(filter.events, it.event) &&
           (filter.statuses.empty() ||
            (it.event != "delete" && wanted(filter.statuses, it.after.status)));
}

// Names each order, status and event once.
inline void remove_repeats(feed_filter& from) {
    const auto once = [](auto& values) {
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
    };
    once(from.orders);
    once(from.statuses);
    once(from.events);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
