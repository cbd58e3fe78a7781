#ifndef ORDERPROC_SERVER_ITEMS_HTTP_ITEMS_HPP
#define ORDERPROC_SERVER_ITEMS_HTTP_ITEMS_HPP

// A catalogue that another server has.

#include "client/http_client.hpp"
#include "client/request_credential.hpp"

#include <orderproc/items.hpp>

#include <memory>

namespace orderproc::server {

// POSTs {"item_ids":[1001,1002]}, and expects 200 with {"unknown":[1002]}: those that may not be
// ordered. Anything else is errc::unavailable: another status, a redirect, other JSON, an answer
// that was cut off, or none in time. The options' body_max is not used: an answer may be as long as
// the question.
std::unique_ptr<item_checker> make_http_items(const http_url& to, http_client_options options,
                                              request_credential credential = {});

}  // namespace orderproc::server

#endif
