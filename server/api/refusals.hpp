#ifndef ORDERPROC_SERVER_API_REFUSALS_HPP
#define ORDERPROC_SERVER_API_REFUSALS_HPP

// Why a change of an order was not made.

#include "http/message.hpp"

#include <orderproc/change.hpp>
#include <orderproc/order_model.hpp>

namespace orderproc::server {

// 409: another order has a value that is unique. It is named if the caller may see it, which is for
// the storage to say. REQUIRES: why.ec is errc::attribute_taken.
void write_taken(const change_outcome& why, const order_model& model, const http::request& to,
                 http::response& out);

}  // namespace orderproc::server

#endif
