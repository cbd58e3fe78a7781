#ifndef ORDERPROC_SERVER_PROCESSORS_HTTP_PROCESSOR_HPP
#define ORDERPROC_SERVER_PROCESSORS_HTTP_PROCESSOR_HPP

// Work that another server does.

#include "client/http_client.hpp"
#include "client/request_credential.hpp"

#include <orderproc/order_model.hpp>
#include <orderproc/processor.hpp>

#include <memory>
#include <string>

namespace orderproc::server {

// POSTs the order as JSON under the model, which must outlive the processor, with Idempotency-Key
// and traceparent. The status decides as soon as it
// is there, whatever becomes of the body:
//
// - 2xx raises the event.
// - 409 and 422 give up, with the problem's text as the reason.
// - Anything else is to be tried again, and so is no answer: after Retry-After, if the answer has
//   one (at most a day), else after the retry policy's delay. Redirects are not followed: the URL
//   has to be corrected, which loses no order.
//
// It takes as many jobs as it has connections, so that no job's time runs while it waits for one.
// The credential is sent with each request; a signature's id is the Idempotency-Key.
// A request has no time limit of its own: the job's stop token ends it. One that is repeated, here
// or by a later attempt, has the same Idempotency-Key.
std::unique_ptr<processor> make_http_processor(const http_url& to, std::string event,
                                               http_client_options options = {},
                                               const order_model& model = order_model::standard(),
                                               request_credential credential = {});

}  // namespace orderproc::server

#endif
