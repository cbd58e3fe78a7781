#include "live/subscriber_index.hpp"

namespace orderproc::server {

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

void subscriber_index::add(subscription& it, const event_filter& filter) {
    if (filter.order) {
        by_order_.emplace(*filter.order, &it);
    } else if (filter.scope.user) {
        by_user_.emplace(*filter.scope.user, &it);
    } else if (!filter.statuses.empty()) {
        for (const order_status& status : filter.statuses) by_status_.emplace(status.view(), &it);
    } else if (filter.scope.tenant) {
        by_tenant_.push_back(&it);
    } else {
        everything_.push_back(&it);
    }
    ++size_;
}

void subscriber_index::remove(subscription& it, const event_filter& filter) noexcept {
    if (filter.order) {
        erase_one(by_order_, *filter.order, it);
    } else if (filter.scope.user) {
        erase_one(by_user_, *filter.scope.user, it);
    } else if (!filter.statuses.empty()) {
        for (const order_status& status : filter.statuses) {
            erase_one(by_status_, status.view(), it);
        }
    } else if (filter.scope.tenant) {
        std::erase(by_tenant_, &it);
    } else {
        std::erase(everything_, &it);
    }
    --size_;
}

}  // namespace orderproc::server
