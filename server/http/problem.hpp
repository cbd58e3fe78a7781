#ifndef ORDERPROC_SERVER_HTTP_PROBLEM_HPP
#define ORDERPROC_SERVER_HTTP_PROBLEM_HPP

// Errors as application/problem+json (RFC 9457).

#include "http/message.hpp"

#include <string_view>

namespace orderproc::server::http {

// One row of the closed table of problems.
struct problem_kind {
    unsigned status;
    std::string_view code;  // snake_case; the type is urn:orderproc:problem:<code>
    std::string_view title;
};

// What the transport itself answers.
namespace problems {
inline constexpr problem_kind bad_request{400, "bad_request", "The request is malformed"};
inline constexpr problem_kind cross_site{403, "cross_site",
                                         "Pages of other sites may not change anything here"};
inline constexpr problem_kind foreign_host{403, "foreign_host",
                                           "The Host is not a name of this server"};
inline constexpr problem_kind request_timeout{408, "request_timeout",
                                              "The request did not arrive in time"};
inline constexpr problem_kind payload_too_large{413, "payload_too_large", "The body is too large"};
inline constexpr problem_kind uri_too_long{414, "uri_too_long", "The request target is too long"};
inline constexpr problem_kind expectation_failed{417, "expectation_failed",
                                                 "The expectation is not supported"};
inline constexpr problem_kind rate_limited{429, "rate_limited", "Too many requests of this client"};
inline constexpr problem_kind header_too_large{431, "header_too_large", "The header is too large"};
inline constexpr problem_kind overloaded{503, "overloaded", "Too much is waiting"};
inline constexpr problem_kind too_many_connections{503, "too_many_connections",
                                                   "Too many connections"};
}  // namespace problems

// Makes it the answer to the request, dropping what the answer held before. members: more
// members of the object as JSON text, such as "parameter":"limit"; or empty.
void write_problem(const problem_kind& kind, std::string_view detail, const request& to,
                   response& out, std::string_view members = {});

}  // namespace orderproc::server::http

#endif
