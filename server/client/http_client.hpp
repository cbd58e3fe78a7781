#ifndef ORDERPROC_SERVER_CLIENT_HTTP_CLIENT_HPP
#define ORDERPROC_SERVER_CLIENT_HTTP_CLIENT_HPP

// Asking other servers, over plain HTTP/1.1.

#include <orderproc/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

struct http_url {
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 80;
    std::string path = "/";

    std::string authority() const;  // as Host has it
};
// "http://host[:port][/path]". errc::invalid_argument for anything else, https as well.
result<http_url> parse_http_url(std::string_view text);

using http_fields = std::vector<std::pair<std::string, std::string>>;

struct fetch_request {
    std::string method = "GET";
    std::string target = "/";
    http_fields fields;
    std::string body;
    bool repeatable = false;  // may be sent again if nobody can tell what became of it
};

struct fetch_response {
    unsigned status = 0;
    http_fields fields;
    std::string body;
    std::string_view find(std::string_view name) const noexcept;  // empty: there is none
    // Retry-After, if it is a number of seconds and at most a day.
    std::optional<std::chrono::seconds> retry_after() const noexcept;
};

struct http_client_options {
    std::size_t connections_max = 64;                              // kept alive between requests
    std::size_t queue_max = 100'000;                               // requests that wait for one
    std::chrono::milliseconds timeout = std::chrono::seconds(30);  // of a request, once it is sent
    std::size_t body_max = 1024 * 1024;                            // of an answer
};

// Asks one server, with a thread of its own. Safe to use from any thread.
class http_client {
public:
    explicit http_client(const http_url& to, http_client_options options = {});
    ~http_client();  // what is under way ends with errc::stopped

    // Calls done exactly once, on the client's thread or, refused, at once. errc::unavailable:
    // there was no answer, and why; errc::overloaded: too many wait; errc::stopped: asked to.
    void fetch(fetch_request what, std::stop_token stop,
               std::function<void(result<fetch_response>)> done);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

// One request on a connection of its own; blocks.
result<fetch_response> fetch(const http_url& to, fetch_request what,
                             std::chrono::milliseconds timeout);

// Gets a part of a body; false: that was enough.
using body_sink = std::function<bool(std::string_view part)>;

struct stream_times {
    std::chrono::milliseconds silence = std::chrono::seconds(60);  // at most, before each part
    std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
};

// As fetch(), for an answer that is made while it is sent: the body of a 200 goes to the sink as
// it comes, and is empty in what is returned.
result<fetch_response> fetch_parts(const http_url& to, fetch_request what, stream_times times,
                                   const body_sink& sink);

}  // namespace orderproc::server

#endif
