#ifndef ORDERPROC_SERVER_PROCESSORS_HTTP_PROCESSOR_HPP
#define ORDERPROC_SERVER_PROCESSORS_HTTP_PROCESSOR_HPP

// Work that another server does.

#include "client/http_client.hpp"

#include <orderproc/processor.hpp>

#include <memory>
#include <string>

namespace orderproc::server {

// POSTs the order as JSON, with Idempotency-Key and traceparent. 2xx raises the event, 409 and
// 422 give up, with the problem's text as the reason; anything else, and no answer, is to be
// tried again: after Retry-After, if that is a number of seconds.
std::unique_ptr<processor> make_http_processor(const http_url& to, std::string event,
                                               http_client_options options = {});

}  // namespace orderproc::server

#endif
