#ifndef ORDERPROC_SERVER_ITEMS_HTTP_ITEMS_HPP
#define ORDERPROC_SERVER_ITEMS_HTTP_ITEMS_HPP

// A catalogue that another server has.

#include "client/http_client.hpp"

#include <orderproc/items.hpp>

#include <memory>

namespace orderproc::server {

// POSTs {"item_ids":[1001,1002]}, and expects 200 with {"unknown":[1002]}: those that may not be
// ordered. Anything else, and no answer in time: it cannot be told.
std::unique_ptr<item_checker> make_http_items(const http_url& to, http_client_options options);

}  // namespace orderproc::server

#endif
