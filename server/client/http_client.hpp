#ifndef ORDERPROC_SERVER_CLIENT_HTTP_CLIENT_HPP
#define ORDERPROC_SERVER_CLIENT_HTTP_CLIENT_HPP

// Asking other servers, over HTTP/1.1 with or without TLS. Nothing but the arguments says how:
// neither proxies that the environment names nor redirects are followed.

#include "client/client_thread.hpp"
#include "client/http_exchange.hpp"
#include "client/http_message.hpp"
#include "client/http_url.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>

namespace orderproc::server {

struct http_client_options {
    std::size_t connections_max = 64;  // at a time; kept alive between requests
    std::size_t queue_max = 100'000;   // requests that wait for a connection
    // Of a request, from the moment it gets a connection. The longest duration: no limit, the stop
    // token ends it.
    std::chrono::milliseconds timeout = std::chrono::milliseconds::max();
    // Of finding the host's address, connecting to it and TLS's handshake, within the time-out.
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
    // Of the rest of a body, if the status suffices.
    std::chrono::milliseconds drain_timeout = std::chrono::seconds(1);
    std::size_t body_max = 1024 * 1024;  // of an answer
    host_finder find = find_host;
    http::client_stream_maker* secure = nullptr;  // carries https; outlives the client
    // Asked about the host's addresses before each connection: see exchange_options.
    std::function<result<void>(const host_addresses& all)> vet;
    std::shared_ptr<client_thread> on;  // where it works; nullptr: on a thread of its own
};

// Asks one server. Safe to use from any thread.
//
// A server may close a connection just as it is used again. Then a request that may be repeated is
// sent once more, on a new connection, unless some of an answer had come. Nothing else is repeated.
class http_client {
public:
    explicit http_client(const http_url& to, http_client_options options = {});
    // What is under way ends with errc::stopped. Waits for that. REQUIRES: not on its thread.
    ~http_client();

    // Calls done exactly once, on the client's thread or, if the request is refused, at once.
    // errc::unavailable: there was no answer, and why; errc::invalid_argument: see
    // fetch_request::validate(); errc::overloaded: too many wait; errc::stopped: asked to.
    void fetch(fetch_request what, std::stop_token stop,
               std::function<void(result<fetch_response>)> done);

private:
    class impl;
    const std::shared_ptr<client_thread> on_;
    std::shared_ptr<impl> impl_;
};

// Over what single requests go.
struct fetch_means {
    host_finder find = find_host;
    http::client_stream_maker* secure = nullptr;  // carries https
};

// One request on a connection of its own; blocks for the time-out at most, name lookup included.
// An answer of more than 64 MiB is an error.
result<fetch_response> fetch(const http_url& to, const fetch_request& what,
                             std::chrono::milliseconds timeout, const fetch_means& by = {});

struct stream_times {
    std::chrono::milliseconds silence = std::chrono::seconds(60);  // at most, before each part
    std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
};

// As fetch(), for an answer that is made while it is sent: the body of a 200 goes to the sink as
// it comes, and is empty in what is returned.
result<fetch_response> fetch_parts(const http_url& to, const fetch_request& what,
                                   stream_times times, const body_sink& sink,
                                   const fetch_means& by = {});

}  // namespace orderproc::server

#endif
