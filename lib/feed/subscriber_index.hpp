#ifndef ORDERPROC_FEED_SUBSCRIBER_INDEX_HPP
#define ORDERPROC_FEED_SUBSCRIBER_INDEX_HPP

// Who subscribes to what: an entry is compared only with the filters that may match it.

#include <orderproc/feed.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

class subscription;

// Each is found under the one part of its filter that tells most: its orders, else its user, else
// its statuses. Filters name nothing twice (remove_repeats()).
class subscriber_index {
public:
    void add(subscription& it, const feed_filter& filter);
    void remove(subscription& it, const feed_filter& filter) noexcept;
    std::size_t size() const noexcept { return size_; }

    // Those without a filter.
    const std::vector<subscription*>& everything() const noexcept { return everything_; }
    // Calls meet(subscription&) with each whose filter may match, but those without one.
    template <class Meet>
    void for_candidates(const journal_entry& entry, Meet&& meet) const {
        if (!by_order_.empty()) {
            meet_all(by_order_.equal_range(entry.after.id.view()), meet);
        }
        if (!by_user_.empty()) meet_all(by_user_.equal_range(entry.after.user), meet);
        if (!by_status_.empty()) meet_all(by_status_.equal_range(entry.after.status.view()), meet);
        for (subscription* it : others_) meet(*it);
    }
    // Calls visit(subscription&) with each, and again for each further order or status it names.
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (subscription* it : everything_) visit(*it);
        for (const auto& [key, it] : by_order_) visit(*it);
        for (const auto& [key, it] : by_user_) visit(*it);
        for (const auto& [key, it] : by_status_) visit(*it);
        for (subscription* it : others_) visit(*it);
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
    void insert(subscription& it, const feed_filter& filter);

    std::vector<subscription*> everything_;
    std::vector<subscription*> others_;  // of a tenant or of events alone: each is asked itself
    text_map by_order_;
    text_map by_user_;
    text_map by_status_;
    std::size_t size_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
