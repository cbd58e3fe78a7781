#ifndef ORDERPROC_SERVER_LIVE_EVENT_FILTER_HPP
#define ORDERPROC_SERVER_LIVE_EVENT_FILTER_HPP

// Which journal entries somebody listens to.

#include <orderproc/repository.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace orderproc::server {

struct event_filter {
    std::optional<std::string> order;
    order_scope scope;
    std::vector<order_status> statuses;  // moved to; sorted, each once; empty: any

    bool everything() const noexcept { return !order && scope.everybody() && statuses.empty(); }
    bool matches(const journal_entry& it) const noexcept {
        if (order && it.after.id.view() != *order) return false;
        if (!scope.admits(it.after)) return false;
        if (statuses.empty()) return true;
        // Who deletes an order moves it nowhere.
        return it.event != "delete" &&
               std::find(statuses.begin(), statuses.end(), it.after.status) != statuses.end();
    }
};

}  // namespace orderproc::server

#endif
