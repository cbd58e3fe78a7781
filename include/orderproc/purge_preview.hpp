#ifndef ORDERPROC_PURGE_PREVIEW_HPP
#define ORDERPROC_PURGE_PREVIEW_HPP

// What a purge would do, and what holds it back.

#include <orderproc/order.hpp>
#include <orderproc/repository.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct preview_purge_params {
    purge_orders what;          // `limit` entries are looked at, and those of the same time
    timestamp now{};            // as in write_params
    timestamp forget_before{};  // the same
    feed_position after{};      // where to begin; offset 0: at the floor of the feed
    // A purge must not pass the latest entry of an order in one of these statuses.
    std::span<const order_status> kept = {};
};

struct purge_preview {
    std::uint64_t orders = 0;   // that would go, without those that had been deleted
    std::uint64_t entries = 0;  // of the feed that would be passed
    feed_position last;         // the last of them; params.after if there is none
    // A purge of what is before this passes just these entries, also if the floor moves meanwhile.
    timestamp before{};
    bool more = false;  // it stopped because of the limit: look on from `last`
    // What it stopped at, if it is one of these, and since when that has been waiting.
    std::string held_by = {};        // a cursor
    std::optional<order> kept = {};  // an order in one of the statuses that are kept
    std::optional<timestamp> held_since = {};
};

// Reads the feed from its floor on, or from `after`. Nothing is changed. Where the preview stops
// among entries of the same time, none of these is counted. errc::not_supported: the storage has
// no list of cursors. errc::invalid_argument: what validate() refuses. Other errors are those of
// the storage.
ORDERPROC_EXPORT result<purge_preview> preview_purge(repository_reader& from,
                                                     const preview_purge_params& params);

// A named cursor that keeps entries in the feed.
struct purge_holder {
    std::string name;
    std::uint64_t behind = 0;   // entries that it has not passed
    timestamp waiting_since{};  // the time of the first of them
};

// The cursors that have not passed an entry of before this time, the one that is most behind first,
// of the `most` that are most behind. Those whose reader would get a reset hold nothing. Errors as
// above.
ORDERPROC_EXPORT result<std::vector<purge_holder>> list_purge_holders(repository_reader& from,
                                                                      timestamp before,
                                                                      std::size_t most);

}  // namespace v1
}  // namespace orderproc

#endif
