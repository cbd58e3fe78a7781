#ifndef ORDERPROC_SERVER_API_OPENAPI_ORDERS_HPP
#define ORDERPROC_SERVER_API_OPENAPI_ORDERS_HPP

// What of the API's description depends on what an order looks like.

#include <orderproc/order_model.hpp>
#include <orderproc/status_machine.hpp>

#include <boost/json.hpp>

namespace orderproc::server {

// Schemas by their names: of orders, of bodies that carry their fields, and of what these have.
boost::json::object order_schemas(const order_model& model);

// For the names of the template: parameters of lists and streams, and examples.
boost::json::object order_values(const status_machine& machine, const order_model& model);

}  // namespace orderproc::server

#endif
