#ifndef ORDERPROC_CLOUD_EVENT_HPP
#define ORDERPROC_CLOUD_EVENT_HPP

// Journal entries as CloudEvents 1.0 in JSON (github.com/cloudevents/spec): one body for
// whoever listens, whatever carries it.

#include <orderproc/queue.hpp>
#include <orderproc/repository.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

inline constexpr std::string_view cloud_event_media_type = "application/cloudevents+json";

// "epoch-offset", both decimal.
ORDERPROC_EXPORT std::string to_string(const feed_position& at);
// What to_string() writes, and "0" for the beginning. nullopt: neither.
ORDERPROC_EXPORT std::optional<feed_position> parse_feed_position(std::string_view text) noexcept;

// Appends one line: specversion, id (the position), source "/orderproc", type
// "orderproc.order.<event>.v1", subject (the order's id), time, traceparent if there is one,
// datacontenttype, and data {order_id, event, from, to, version, reason, order}.
ORDERPROC_EXPORT void append_cloud_event(const journal_entry& entry, std::string& out);

// The same as a message, for relay_options::format: id, content_type and payload.
ORDERPROC_EXPORT void write_cloud_event(const journal_entry& entry, message& to);

}  // namespace v1
}  // namespace orderproc

#endif
