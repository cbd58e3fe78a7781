#ifndef ORDERPROC_CURSOR_HPP
#define ORDERPROC_CURSOR_HPP

// Named cursors: where a reader of the journal stands, and who holds its place.

#include <orderproc/error.hpp>
#include <orderproc/journal.hpp>

#include <optional>
#include <string>

namespace orderproc {
inline namespace v1 {

// Takes a named cursor, renews its lease, commits a position, or removes the cursor. A cursor that
// is new, released or expired is taken where it stands. errc::lease_lost while another owner holds
// it. An owner may commit any number of cursors in one write.
struct commit_cursor {
    std::string name;                 // 1 to 200 bytes
    std::string owner;                // the same
    std::optional<feed_position> to;  // none: only take or renew. Not checked: the owner knows
    timestamp expires_at;             // how long the owner holds it; at or before now: lets it go
    // The end of another owner's lease that counts as over, though it is after expires_at: it has
    // been the same for a lease by a monotonic clock, so a clock that was ahead gave it.
    std::optional<timestamp> expired = {};
    // Afterwards there is no cursor of that name; `to` is ignored. Succeeds if there was none.
    bool remove = false;
};
struct named_cursor {
    std::string name;
    feed_position at;
    timestamp moved_at = {};  // when it came to stand there: see purge_orders::hold_max
};
struct cursor_outcome {
    error_code ec;
    feed_position at;                          // where the cursor stands now, or stood at the end
    std::optional<timestamp> held_until = {};  // of lease_lost: when the other owner's lease ends
};

}  // namespace v1
}  // namespace orderproc

#endif
