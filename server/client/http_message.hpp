#ifndef ORDERPROC_SERVER_CLIENT_HTTP_MESSAGE_HPP
#define ORDERPROC_SERVER_CLIENT_HTTP_MESSAGE_HPP

// A request to another server, and its answer.

#include <orderproc/error.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

using http_fields = std::vector<std::pair<std::string, std::string>>;

struct fetch_request {
    std::string method = "GET";
    std::string target = "/";
    // Besides Host, User-Agent, Accept-Encoding and Content-Length, which the client adds.
    http_fields fields;
    std::string body;
    // This request only reads, although its method does not say so: see may_be_repeated().
    bool repeatable = false;
    // The status alone is the answer: once it is there, nothing that happens to the body is a
    // failure. What is left of the body is dropped if it is too large or too slow.
    bool status_suffices = false;

    // May be sent again if nobody can tell what became of it: the method is idempotent (RFC 9110,
    // 9.2.2), or the request has an Idempotency-Key, or it is `repeatable`.
    bool may_be_repeated() const noexcept;
    // errc::invalid_argument if HTTP cannot carry the method, the target or a field. The error
    // names the field, and never shows its value.
    result<void> validate() const;
};

struct fetch_response {
    unsigned status = 0;  // of the final answer: never 1xx
    http_fields fields;   // of the header section; trailers are dropped
    std::string body;

    // "the server answered 302, and redirects are not followed": for whom the status is a failure.
    std::string status_text() const;
    // The value of the first field of that name, in any case. Empty: there is none.
    std::string_view find(std::string_view name) const noexcept;
    // What Retry-After asks for (RFC 9110, 10.2.3): seconds, or a date, which counts from the
    // answer's own Date if that is valid, else from now. A date in the past is 0 s; more than a day
    // is a day. nullopt: it asks for nothing, or not in a form that the RFC has.
    std::optional<std::chrono::seconds> retry_after(
        std::chrono::sys_seconds now = std::chrono::floor<std::chrono::seconds>(
            std::chrono::system_clock::now())) const noexcept;
};

}  // namespace orderproc::server

#endif
