#ifndef ORDERPROC_WEBHOOKS_LANE_PARTS_HPP
#define ORDERPROC_WEBHOOKS_LANE_PARTS_HPP

// What a lane has in memory: events, parked orders and tasks.

#include "webhooks/records.hpp"

#include <orderproc/runtime.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail {

// An event on its way to one endpoint.
struct outgoing_event {
    enum class state : std::uint8_t { waiting, sending, done };

    feed_position at;
    std::int64_t number = 0;  // of its order
    std::string order;
    order_version version{0};
    timestamp journaled_at{};
    std::string traceparent;
    std::shared_ptr<const std::string>
        body;  // endpoints share it; nullptr: there is nothing to send
    state is = state::waiting;
    std::uint32_t failures = 0;  // of a replay…
    clock::instant due;          // …which is tried again then

    std::size_t size() const noexcept { return body ? body->size() : 0; }
};

// An order whose events are parked. Where it stands in memory may be ahead of its record, never
// behind it: after a crash some are sent again.
struct parked_order {
    parked_record it;
    clock::instant due;
    std::uint64_t stored = 0;  // version of the record; 0: there is none
    bool ours = false;         // this sender has written it since it leads
    bool closing = false;      // nothing is left of it: the record goes
    bool sending = false;
    bool dirty = true;  // the record is to be written…
    bool writing = false;
    clock::instant write_due;  // …not before this
};

// A test or a replay.
struct lane_task {
    std::string key;
    std::uint64_t version = 0;
    task_record what;
    bool begun = false;
    bool finished = false;  // its record is to be removed…
    bool ending = false;    // …which is under way
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
