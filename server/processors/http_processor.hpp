#ifndef ORDERPROC_SERVER_PROCESSORS_HTTP_PROCESSOR_HPP
#define ORDERPROC_SERVER_PROCESSORS_HTTP_PROCESSOR_HPP

// Work that another server does.

#include "attempts/attempt_tokens.hpp"
#include "client/http_client.hpp"
#include "client/request_credential.hpp"

#include <orderproc/order_model.hpp>
#include <orderproc/processor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace orderproc::server {

// Work that an endpoint accepts, and that somebody answers later.
struct handed_over_work {
    const attempt_tokens* tokens = nullptr;  // none: nothing can be handed over. Outlives all else
    std::chrono::milliseconds timeout = std::chrono::hours(1);
};

// POSTs the order as JSON under the model, which must outlive the processor, with Idempotency-Key,
// traceparent and, in Orderproc-Attempt, the token by which the attempt can be answered. The status
// decides as soon as it is there, whatever becomes of the body:
//
// - 202 hands the work over: whoever has the token answers it. Without tokens it is as other 2xx.
// - Any other 2xx raises the event.
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
                                               request_credential credential = {},
                                               handed_over_work later = {});

}  // namespace orderproc::server

#endif
