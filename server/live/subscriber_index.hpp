#ifndef ORDERPROC_SERVER_LIVE_SUBSCRIBER_INDEX_HPP
#define ORDERPROC_SERVER_LIVE_SUBSCRIBER_INDEX_HPP

// Who listens to what: an entry is compared only with the filters that may match it.

#include "live/event_filter.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace orderproc::server {

class subscription;

// Each is found under the one thing that tells most: its order, else its user, else its
// statuses.
class subscriber_index {
public:
    void add(subscription& it, const event_filter& filter);
    void remove(subscription& it, const event_filter& filter) noexcept;
    std::size_t size() const noexcept { return size_; }

    // Those without a filter.
    const std::vector<subscription*>& everything() const noexcept { return everything_; }
    // Calls meet(subscription&) with each whose filter may match.
    template <class Meet>
    void for_candidates(const journal_entry& entry, Meet&& meet) const {
        if (!by_order_.empty()) {
            meet_all(by_order_.equal_range(entry.after.id.view()), meet);
        }
        if (!by_user_.empty()) meet_all(by_user_.equal_range(entry.after.user), meet);
        if (!by_status_.empty()) meet_all(by_status_.equal_range(entry.after.status.view()), meet);
        for (subscription* it : by_tenant_) meet(*it);
    }
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (subscription* it : everything_) visit(*it);
        for (const auto& [key, it] : by_order_) visit(*it);
        for (const auto& [key, it] : by_user_) visit(*it);
        for (const auto& [key, it] : by_status_) visit(*it);  // once for each of its statuses
        for (subscription* it : by_tenant_) visit(*it);
    }

private:
    struct text_hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using text_map =
        std::unordered_multimap<std::string, subscription*, text_hash, std::equal_to<>>;

    template <class Range, class Meet>
    static void meet_all(Range range, Meet& meet) {
        for (auto it = range.first; it != range.second; ++it) meet(*it->second);
    }

    std::vector<subscription*> everything_;
    std::vector<subscription*> by_tenant_;  // who ask for nothing else: each is asked itself
    text_map by_order_;
    text_map by_user_;
    text_map by_status_;
    std::size_t size_ = 0;
};

}  // namespace orderproc::server

#endif
