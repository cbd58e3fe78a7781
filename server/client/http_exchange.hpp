#ifndef ORDERPROC_SERVER_CLIENT_HTTP_EXCHANGE_HPP
#define ORDERPROC_SERVER_CLIENT_HTTP_EXCHANGE_HPP

// One request and its answer on one connection, as RFC 9110 and RFC 9112 ask of a client.

#include "client/client_stream.hpp"
#include "client/host_lookup.hpp"
#include "client/http_message.hpp"
#include "client/http_url.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace orderproc::server {

// Gets a part of a body. False: that was enough.
using body_sink = std::function<bool(std::string_view part)>;

struct connection {
    explicit connection(boost::asio::io_context& on);

    // Ends what is under way. A cancel() would be lost between two steps, and the next one would
    // wait; what is closed lets none of them begin.
    void stop();

    client_stream stream;
    boost::beast::flat_buffer buffer;  // bounded, as are all lines that a server may send
    host_lookup::stopper lookup;
    bool used = false;  // it has answered before
    bool stopped = false;
};

struct exchange_options {
    using instant = std::chrono::steady_clock::time_point;

    std::size_t body_max = 0;
    instant until = instant::max();                                        // of all of it
    std::chrono::milliseconds connect = std::chrono::milliseconds::max();  // lookup and connection
    std::chrono::milliseconds silence = std::chrono::milliseconds::max();  // before each step
    // What remains of a body may take this if the status suffices.
    std::chrono::milliseconds drain = std::chrono::milliseconds::max();
    const body_sink* parts = nullptr;             // gets the body of a 200, whatever its size
    http::client_stream_maker* secure = nullptr;  // for https, which is refused without it
    // Asked about all addresses of the host before one of them is connected to; a failure is the
    // end. Then the other end of a connection has to have the address, too.
    std::function<result<void>(const host_addresses& all)> vet;
};

// What became of sending a request once.
struct exchange_result {
    boost::system::error_code ec;
    std::string detail;      // more than ec says; may be empty
    bool connected = false;  // or was before
    bool answered = false;   // some of an answer was read
    bool keep = false;       // the connection can be used again
    fetch_response got;
};

// Interim answers (1xx) are skipped, but for 101, which is an error: nobody asked for an upgrade. A
// body ends as RFC 9112, 6.3 says. An answer whose framing is faulty is discarded: several lengths
// that differ, one that is no number, a length beside a Transfer-Encoding, any other coding than
// "chunked", and any Transfer-Encoding on HTTP/1.0. Trailers are dropped. An answer that came
// although the request could not be sent as a whole is an answer. Redirects are not followed.
boost::asio::awaitable<exchange_result> exchange(connection& by, host_lookup& hosts,
                                                 const http_url& to, const fetch_request& what,
                                                 const exchange_options& with);

// exchange() on a connection of its own, in this thread. errc::unavailable: there was no answer,
// and why; errc::invalid_argument: see fetch_request::validate(); errc::stopped.
result<fetch_response> exchange_alone(const http_url& to, const fetch_request& what,
                                      const exchange_options& with, const host_finder& find,
                                      std::chrono::milliseconds timeout, std::stop_token stop = {});

// For a request that failed: which server, and why. timeout: what exchange_options::until allowed.
failure exchange_failure(const http_url& to, const exchange_result& tried,
                         std::chrono::milliseconds timeout, std::chrono::milliseconds connect);

// After so long, or never if that is the longest duration.
exchange_options::instant time_after(std::chrono::milliseconds duration) noexcept;

}  // namespace orderproc::server

#endif
