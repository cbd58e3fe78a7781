#include "observe/stats_sampler.hpp"

#include "api/representation.hpp"
#include "api/work_facts.hpp"

#include <algorithm>
#include <utility>

namespace orderproc::server {

stats_sampler::stats_sampler(const status_machine& machine, clock& time, stats_history& to)
    : machine_(machine), time_(time), to_(to) {
    created_to_done_.reserve(entries_max);
}

void stats_sampler::look(repository_reader& from, const statistics& counted) noexcept {
    const auto now = time_.monotonic();
    if (!to_.is_due(now)) return;
    stats_sample it;
    it.created = counted.created;
    it.completed = counted.completed;
    for (const work_stage& stage : machine_.stages()) {
        it.waiting += orders_in(counted, stage.waiting);
        it.in_work += orders_in(counted, stage.active);
    }
    looked_at_ = 0;
    failed_ = 0;
    created_to_done_.clear();
    try {
        it.failed = failed_since(from);
    } catch (...) {  // out of memory, or a storage that throws: see below
    }
    if (!it.failed) created_to_done_.clear();
    it.created_to_done = created_to_done_;
    to_.add(now, it);
}

// Of entries that could not be read nothing is said, and what comes next begins at the end of the
// journal.
std::optional<double> stats_sampler::failed_since(repository_reader& from) {
    const auto before = std::exchange(seen_, std::nullopt);
    const auto newest = newest_position(from);
    if (!newest) return std::nullopt;
    const bool goes_on =
        before && before->epoch == newest->epoch && before->offset <= newest->offset;
    if (!goes_on) {
        seen_ = *newest;
        return std::nullopt;
    }
    const std::uint64_t entries = newest->offset - before->offset;
    if (entries <= entries_max) {
        if (entries > 0 && !read_part(from, *before, entries)) return std::nullopt;
    } else {
        for (std::uint64_t i = 0; i < parts; ++i) {
            const feed_position after{before->epoch, before->offset + i * entries / parts};
            if (!read_part(from, after, entries_max / parts)) return std::nullopt;
        }
    }
    seen_ = *newest;
    if (looked_at_ == 0) return entries == 0 ? std::optional<double>(0) : std::nullopt;
    return static_cast<double>(failed_) * static_cast<double>(entries) /
           static_cast<double>(looked_at_);
}

bool stats_sampler::read_part(repository_reader& from, const feed_position& after,
                              std::size_t most) {
    feed_params what;
    what.after = after;
    what.limit = most;
    const auto page = from.read_feed(what);
    if (!page || page->reset) return false;
    for (const journal_entry& it : page->entries) {
        ++looked_at_;
        if (fails(it)) ++failed_;
        if (completes(it) && created_to_done_.size() < entries_max) {
            created_to_done_.push_back(it.at - it.after.created_at);
        }
    }
    return true;
}

bool stats_sampler::fails(const journal_entry& it) const noexcept {
    if (!it.from || *it.from == it.after.status) return false;
    const auto stages = machine_.stages();
    return std::any_of(stages.begin(), stages.end(),
                       [&](const work_stage& one) { return it.after.status == one.failed; });
}

// As the storage counts it: a worker's last step, which leads to where nothing comes after it.
bool stats_sampler::completes(const journal_entry& it) const noexcept {
    return it.from && machine_.stage_active_in(*it.from) && machine_.find(it.event) &&
           machine_.is_final(it.after.status) && !fails(it);
}

}  // namespace orderproc::server
