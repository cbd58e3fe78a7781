#ifndef ORDERPROC_STORAGE_POSTGRES_SEEN_JOURNAL_HPP
#define ORDERPROC_STORAGE_POSTGRES_SEEN_JOURNAL_HPP

// What this process has seen of the journal, to notice a server that does not have it any more: an
// asynchronous standby that was promoted, or a database that was put back.

#include <orderproc/journal.hpp>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <span>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// How many of the entries up to `seen` the journal of this chain of epochs, whose newest entry is
// at this offset, does not have.
std::uint64_t entries_lost(const feed_position& seen, std::span<const journal_epoch> chain,
                           std::uint64_t newest);

// Safe to use from any thread. A connection cannot see its database go back, so it is when one is
// made that the two are compared.
class seen_journal {
public:
    // A server of this timeline has an entry at this position. What servers of earlier timelines
    // have does not count any more.
    void saw(std::int64_t timeline, const feed_position& at) {
        const std::lock_guard lock(mutex_);
        if (timeline < timeline_) return;
        if (timeline == timeline_ && at.epoch == at_.epoch && at.offset < at_.offset) return;
        timeline_ = timeline;
        at_ = at;
    }
    feed_position newest() const {
        const std::lock_guard lock(mutex_);
        return at_;
    }
    // So many entries up to `seen`, which newest() said before, are missing on a server of this
    // timeline, whose newest entry is `present`. False: newest() has changed since.
    bool missed(std::uint64_t entries, const feed_position& seen, std::int64_t timeline,
                const feed_position& present) {
        const std::lock_guard lock(mutex_);
        if (!(at_ == seen)) return false;
        timeline_ = timeline;
        at_ = present;
        lost_ = std::max(lost_, entries);
        return true;
    }
    // What is missing and was not noted in the database.
    std::uint64_t lost() const {
        const std::lock_guard lock(mutex_);
        return lost_;
    }
    void noted() {
        const std::lock_guard lock(mutex_);
        lost_ = 0;
    }

private:
    mutable std::mutex mutex_;
    std::int64_t timeline_ = 0;
    feed_position at_;
    std::uint64_t lost_ = 0;
};

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
