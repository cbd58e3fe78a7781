#ifndef ORDERPROC_PURGE_HPP
#define ORDERPROC_PURGE_HPP

// Deletes orders that have been settled for long, each of them whole: its row and its journal. A
// storage may not be able to: capability::purge.

#include <orderproc/error.hpp>
#include <orderproc/journal.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace orderproc {
inline namespace v1 {

inline constexpr std::size_t purge_limit_max = 65'536;

// A purge walks the journal from the floor of the feed upwards and raises the floor as it goes. It
// stops at the first entry that is too young, or that a cursor holds. An order goes when the walk
// has passed its latest entry, if it is settled or deleted then. The entries of other orders stay
// for their histories, but are no longer in the feed.
struct purge_orders {
    // Passes entries that are older than this, than write_params::now and than
    // write_params::forget_before: an idempotency key is forgotten before the answer to it is.
    // The clock of the writer's host is believed: one that is ahead makes all of them older.
    timestamp before;
    // Entries to pass at most, 1 to 65,536; so many orders go at most, each with all of its
    // entries.
    std::size_t limit = 1000;
    // A cursor holds what it has not passed, unless it has not moved for longer than this, and what
    // comes next has waited for it as long: then its reader gets a reset. Not negative.
    std::chrono::milliseconds hold_max = std::chrono::hours(7 * 24);
};

struct purge_outcome {
    error_code ec;              // of the whole write, to purge_completion
    std::uint64_t orders = 0;   // that went, without those that had been deleted
    std::uint64_t entries = 0;  // of the journal that went
    feed_position floor;        // what is kept in the feed begins behind it
    bool more = false;          // it stopped because of the limit: another one goes on
    std::string held_by = {};   // the cursor at which it stopped, if it stopped at one
};

// What the engine refuses before it is queued: errc::invalid_argument, with a detail that names
// the member and its limit.
ORDERPROC_EXPORT result<void> validate(const purge_orders& what);

}  // namespace v1
}  // namespace orderproc

#endif
