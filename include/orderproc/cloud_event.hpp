#ifndef ORDERPROC_CLOUD_EVENT_HPP
#define ORDERPROC_CLOUD_EVENT_HPP

// Journal entries as CloudEvents 1.0 in JSON (github.com/cloudevents/spec): one body for
// whoever listens, whatever carries it.

#include <orderproc/order_model.hpp>
#include <orderproc/queue.hpp>
#include <orderproc/repository.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

inline constexpr std::string_view cloud_event_media_type = "application/cloudevents+json";

// What tells the events of two installations apart that one consumer hears: source and id together
// are unique (CloudEvents 1.0).
inline constexpr std::string_view default_event_source = "/orderproc";
inline constexpr std::size_t event_source_size_max = 255;
// A URI-reference (RFC 3986), not empty, of at most event_source_size_max bytes.
ORDERPROC_EXPORT bool is_event_source(std::string_view text) noexcept;

// Appends one line: specversion, id (the position), source, type "orderproc.order.<event>.v1",
// subject (the order's id), time, traceparent if there is one, datacontenttype, and data
// {order_id, event, from, to, version, reason, order}, where the order is as append_json() writes
// it under the model. REQUIRES: is_event_source(source).
ORDERPROC_EXPORT void append_cloud_event(const journal_entry& entry, std::string& out,
                                         std::string_view source = default_event_source,
                                         const order_model& model = order_model::standard());

// The same as a message, for relay_options::format: id, content_type and payload. Orders are those
// of the standard model.
ORDERPROC_EXPORT void write_cloud_event(const journal_entry& entry, message& to);
// write_cloud_event() with that source, and of orders of that model, which must outlive the
// function. errc::invalid_argument if the source is none.
ORDERPROC_EXPORT result<std::function<void(const journal_entry&, message&)>> cloud_events_of(
    std::string source, const order_model& model = order_model::standard());

}  // namespace v1
}  // namespace orderproc

#endif
