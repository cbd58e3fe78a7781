#include "feed/subscriber_index.hpp"

#include "feed/filter.hpp"

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

template <class Map, class Key>
void erase_one(Map& from, const Key& key, const subscription& it) noexcept {
    const auto range = from.equal_range(key);
    for (auto at = range.first; at != range.second; ++at) {
        if (at->second != &it) continue;
        from.erase(at);
        return;
    }
}

}  // namespace

void subscriber_index::add(subscription& it, const feed_filter& filter) {
    ++size_;
    try {
        insert(it, filter);
    } catch (...) {
        remove(it, filter);
        throw;
    }
}

void subscriber_index::insert(subscription& it, const feed_filter& filter) {
    if (!filter.orders.empty()) {
        for (const order_id& id : filter.orders) by_order_.emplace(id.view(), &it);
    } else if (filter.scope.user) {
        by_user_.emplace(*filter.scope.user, &it);
    } else if (!filter.statuses.empty()) {
        for (const order_status& status : filter.statuses) by_status_.emplace(status.view(), &it);
    } else if (matches_everything(filter)) {
        everything_.push_back(&it);
    } else {
        others_.push_back(&it);
    }
}

void subscriber_index::remove(subscription& it, const feed_filter& filter) noexcept {
    if (!filter.orders.empty()) {
        for (const order_id& id : filter.orders) erase_one(by_order_, id.view(), it);
    } else if (filter.scope.user) {
        erase_one(by_user_, *filter.scope.user, it);
    } else if (!filter.statuses.empty()) {
        for (const order_status& status : filter.statuses) {
            erase_one(by_status_, status.view(), it);
        }
    } else if (matches_everything(filter)) {
        std::erase(everything_, &it);
    } else {
        std::erase(others_, &it);
    }
    --size_;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
