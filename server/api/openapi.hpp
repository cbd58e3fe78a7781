#ifndef ORDERPROC_SERVER_API_OPENAPI_HPP
#define ORDERPROC_SERVER_API_OPENAPI_HPP

// The API in machine form (OpenAPI 3.1).

#include "http/options.hpp"

#include <orderproc/status_machine.hpp>

#include <mutex>
#include <string>

namespace orderproc::server {

// docs/openapi.json with what the code knows filled in: statuses, events, limits, problems.
//
// There a string "$name" stands for a value and "${name}" within a string for its text. An
// operation lists its problems, or groups of them, as x-problems: they become its responses.
// Every response gets the fields that all answers have, every operation the parameters of its path,
// every path its OPTIONS. Throws if the two do not fit.
std::string make_openapi(const status_machine& machine, const http::request_limits& limits = {});

// Made when it is first asked for. Safe to use from any thread.
class openapi_document {
public:
    // The machine outlives it.
    openapi_document(const status_machine& machine, const http::request_limits& limits)
        : machine_(machine), limits_(limits) {}

    struct content {
        std::string text;
        std::string etag;
    };
    const content& get();

private:
    const status_machine& machine_;
    const http::request_limits limits_;
    std::once_flag once_;
    content content_;
};

}  // namespace orderproc::server

#endif
