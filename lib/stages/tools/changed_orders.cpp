#include <orderproc/adapter.hpp>
#include <orderproc/changed_orders.hpp>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// Entries that are read at once: more than are wanted, for some are not shown.
constexpr std::size_t step_min = 64;
constexpr std::size_t step_max = 512;

// The entries that may be shown: the last ones of their orders as far as is known, and of the
// filter. Indices, ascending.
std::vector<std::size_t> candidates(const std::vector<journal_entry>& entries,
                                    const list_params& filter) {
    std::unordered_map<std::int64_t, std::size_t> last;  // by the order's number
    for (std::size_t i = 0; i < entries.size(); ++i) last[entries[i].after.number] = i;
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const order& it = entries[i].after;
        if (last[it.number] == i && matches(it, filter)) out.push_back(i);
    }
    return out;
}

class walk {
public:
    walk(repository_reader& from, const changed_params& params) : from_(from), params_(params) {}

    result<changed_page> run() {
        if (params_.entries_max == 0) {
            return failure{errc::invalid_argument, "changed_params::entries_max: at least 1"};
        }
        if (auto ok = begin(); !ok) return std::move(ok).error();
        bool more = params_.filter.limit > 0 && !page_.reset;
        for (std::size_t looked = 0; more && looked < params_.entries_max;) {
            const std::size_t wanted = params_.filter.limit - page_.orders.size();
            const std::size_t step =
                std::min(std::clamp(wanted, step_min, step_max), params_.entries_max - looked);
            auto read = from_.read_feed({at_, step});
            if (!read) return std::move(read).error();
            if (read->reset && !params_.after) {  // purged since: nobody has seen any of it
                at_ = read->oldest;
                continue;
            }
            page_.reset = read->reset;
            // Only a look that finds nothing is the end: what was superseded in the step before it
            // comes later.
            if (read->entries.empty()) return std::move(page_);
            looked += read->entries.size();
            const auto on = show(read->entries);
            if (!on) return on.error();
            more = *on;
        }
        if (auto ok = finish(); !ok) return std::move(ok).error();
        return std::move(page_);
    }

private:
    // Where it starts, and what the feed has by then.
    result<void> begin() {
        if (params_.after) {
            at_ = *params_.after;
        } else {
            const auto found = from_.find_position(params_.since);
            if (!found) return found.error();
            at_ = *found;
        }
        const auto bounds = from_.read_feed({at_, 0});
        if (!bounds) return bounds.error();
        page_.newest = bounds->newest;
        page_.reset = bounds->reset && params_.after;
        if (bounds->reset) at_ = bounds->oldest;  // else entries were purged since it was found
        return {};
    }

    // Orders that changed meanwhile are at another version, and have an entry that comes later.
    // False: the page is full.
    result<bool> show(std::vector<journal_entry>& entries) {
        const auto of = candidates(entries, params_.filter);
        std::vector<std::string> ids;
        ids.reserve(of.size());
        for (const std::size_t i : of) ids.emplace_back(entries[i].after.id.view());
        auto now = from_.load({ids, {}});
        if (!now) return std::move(now).error();
        for (std::size_t i = 0; i < of.size(); ++i) {
            auto& it = now->orders[i];
            if (!it || it->version != entries[of[i]].version) continue;
            page_.orders.push_back(std::move(*it));
            if (page_.orders.size() < params_.filter.limit) continue;
            at_ = entries[of[i]].position;
            return false;
        }
        at_ = entries.back().position;
        return true;
    }

    result<void> finish() {
        if (params_.filter.limit == 0 || page_.reset) return {};
        const auto bounds = from_.read_feed({at_, 0});
        if (!bounds) return bounds.error();
        if (bounds->reset || bounds->newest.offset > at_.offset) page_.next = at_;
        return {};
    }

    repository_reader& from_;
    const changed_params& params_;
    changed_page page_;
    feed_position at_;
};

}  // namespace

result<changed_page> list_changed(repository_reader& from, const changed_params& params) {
    return walk(from, params).run();
}

}  // namespace v1
}  // namespace orderproc
