#ifndef ORDERPROC_FEED_FILTER_HPP
#define ORDERPROC_FEED_FILTER_HPP

// Filters of subscribers.

#include <orderproc/feed.hpp>

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace detail {

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
