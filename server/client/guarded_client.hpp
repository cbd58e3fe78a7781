#ifndef ORDERPROC_SERVER_CLIENT_GUARDED_CLIENT_HPP
#define ORDERPROC_SERVER_CLIENT_GUARDED_CLIENT_HPP

// Calls to addresses that somebody else than the operator names: see address_guard.hpp.

#include "client/address_guard.hpp"
#include "client/host_lookup.hpp"
#include "client/http_message.hpp"
#include "http/stream_maker.hpp"

#include <orderproc/error.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace orderproc::server {

struct guarded_limits {
    std::size_t body_max = 256 * 1024;  // of an answer, whatever it is encoded with
    std::chrono::milliseconds timeout = std::chrono::seconds(5);  // of all of it, look-up included
};

// The addresses of this machine's interfaces. Empty if they cannot be had: then nothing is called.
host_addresses own_addresses();

struct guarded_means {
    http::client_stream_maker* secure = nullptr;  // carries https
    host_finder find = find_host;
    std::function<host_addresses()> own = own_addresses;
    // Told what a host resolved to if that is not allowed: for the operator's log, and nobody else.
    std::function<void(const std::string& host, const host_addresses& all)> refused;
};

// One request on a connection of its own; blocks for the time-out at most. The URL is read with
// parse_guarded_url(), its host is resolved once, on another thread, and admits() has to be true of
// all that is found. One of exactly these addresses is connected to, and the other end's address is
// compared with it; the certificate has to be of the URL's name. The URL's path and query are the
// target. Nothing but `what` and the URL goes into the request. Redirects are not followed, cookies
// are not kept, and no environment variable or file names a proxy or a password.
//
// errc::invalid_argument: as parse_guarded_url() and fetch_request::validate() say.
// errc::unavailable: there was no answer within the limits, or the address is not allowed.
// errc::stopped. What an error says of the network is for the operator: to tell it to whoever
// chose the URL would make a port scanner of us.
result<fetch_response> guarded_fetch(std::string_view url, fetch_request what,
                                     const guard_policy& policy, const guarded_limits& limits,
                                     const guarded_means& by, std::stop_token stop = {});

// The body of a 200; any other status is errc::unavailable.
result<std::string> guarded_get(std::string_view url, const guard_policy& policy,
                                const guarded_limits& limits, const guarded_means& by,
                                std::stop_token stop = {});

}  // namespace orderproc::server

#endif
