#include "cli/live_feeds.hpp"

#include "api/event_stream.hpp"

namespace orderproc::server {

live_feeds::live_feeds(storage& orders, engine& writes, const std::string& event_source)
    : all_reads_(orders, 1),
      bound_reads_(orders, 1),
      all_(writes, all_reads_, event_feed(event_source, writes.model())),
      bound_(writes, bound_reads_, bound_event_feed(event_source, writes.model())) {}

void live_feeds::add_to(api_parts& parts) noexcept {
    parts.feed = &all_;
    parts.bound_feed = &bound_;
}

}  // namespace orderproc::server
