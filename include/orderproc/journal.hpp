#ifndef ORDERPROC_JOURNAL_HPP
#define ORDERPROC_JOURNAL_HPP

// The journal: every change of every order, in one total order.

#include <orderproc/order.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

// A place in the journal: "epoch-offset" on the wire. Offsets start at 1 and have no gaps. The
// epoch, which is never 0, tells apart entries that got the same offset: when a backup is
// restored, the journal begins a new epoch, and an offset that is given again then has another
// position. Offset 0 is the beginning, in any epoch, and not the place of an entry.
struct feed_position {
    std::uint64_t epoch = 0;
    std::uint64_t offset = 0;
    friend bool operator==(const feed_position&, const feed_position&) = default;
};

// The text form of a position, which is stable: "epoch-offset", two decimal numbers without a sign
// or leading zeros. It is a CloudEvents id, an SSE id, the header Feed-Position, and what a client
// sends to continue.
ORDERPROC_EXPORT std::string to_string(const feed_position& at);
// Reads what to_string() writes, and "0" as the beginning of the journal. nullopt if the text is
// neither.
ORDERPROC_EXPORT std::optional<feed_position> parse_feed_position(std::string_view text) noexcept;

// The epochs of a journal form a chain. An entry keeps the epoch in which it was written, so its
// position never changes. A position is in the journal if its epoch is in the chain and its
// offset is before the first entry of the next epoch: a reader that had seen more than a restored
// backup holds is told so (feed_page::reset), and all others go on as if nothing had happened.
struct journal_epoch {
    std::uint64_t epoch = 0;
    std::uint64_t first = 1;  // offset of its first entry; an epoch may have none yet
    friend bool operator==(const journal_epoch&, const journal_epoch&) = default;
};

struct journal_entry {
    feed_position position;
    order_version version{0};          // after's
    std::string event;                 // "create", "edit", "delete" or the machine's word
    std::optional<order_status> from;  // none: created
    std::string actor;
    std::string reason;
    std::string traceparent;
    timestamp at;
    order after;
};

}  // namespace v1
}  // namespace orderproc

#endif
