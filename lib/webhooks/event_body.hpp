#ifndef ORDERPROC_WEBHOOKS_EVENT_BODY_HPP
#define ORDERPROC_WEBHOOKS_EVENT_BODY_HPP

// What an endpoint is told.

#include <orderproc/journal.hpp>
#include <orderproc/order_model.hpp>
#include <orderproc/webhook_endpoint.hpp>

#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Of the entry, the endpoint's content and owner, the source and the model alone: the same at every
// attempt, unless the order was redacted in between.
std::string make_event_body(const journal_entry& entry, const webhook_endpoint& to,
                            std::string_view source, const order_model& model);
std::string make_test_body(std::string_view event, timestamp at, const webhook_endpoint& to,
                           std::string_view source);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
