#ifndef ORDERPROC_SERVER_API_OPENAPI_HPP
#define ORDERPROC_SERVER_API_OPENAPI_HPP

// The API in machine form (OpenAPI 3.1).

#include "http/options.hpp"

#include <orderproc/engine.hpp>

#include <memory>
#include <mutex>
#include <string>

namespace orderproc::server {

// docs/openapi.json with what the code knows filled in: statuses, events, limits, problems, and all
// that depends on what an order looks like (see openapi_orders.hpp).
//
// There a string "$name" stands for a value, as a parameter of an operation for the elements of an
// array, and "${name}" within a string for its text. An
// operation lists its problems, or groups of them, as x-problems: they become its responses.
// Every response gets the fields that all answers have, every operation the parameters of its path,
// every path its OPTIONS. Throws if the two do not fit.
std::string make_openapi(const status_machine& machine,
                         const order_model& model = order_model::standard(),
                         const http::request_limits& limits = {});

// Made when it is first asked for, and again once there is another model. Safe to use from any
// thread.
class openapi_document {
public:
    // The engine, whose machine and model it is of, outlives it.
    openapi_document(const engine& of, const http::request_limits& limits)
        : of_(of), limits_(limits) {}

    struct content {
        std::string text;
        std::string etag;
    };
    std::shared_ptr<const content> get();

private:
    const engine& of_;
    const http::request_limits limits_;
    std::mutex mutex_;
    const order_model* model_ = nullptr;  // of content_
    std::shared_ptr<const content> content_;
};

}  // namespace orderproc::server

#endif
