#ifndef ORDERPROC_SERVER_HTTP_STREAM_MAKER_HPP
#define ORDERPROC_SERVER_HTTP_STREAM_MAKER_HPP

// What carries the bytes of connections: plain TCP, or something that is secure.

#include "http/byte_stream.hpp"
#include "http/client_address.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace orderproc::server::http {

// Safe to use from any thread; outlives the server.
class stream_maker {
public:
    virtual ~stream_maker() = default;
    // Of a connection that was accepted.
    virtual std::unique_ptr<byte_stream> make(boost::asio::ip::tcp::socket socket) = 0;
    // As many are being made as there may be at a time: accepting has to wait.
    virtual bool crowded() const noexcept = 0;

    struct totals {
        std::uint64_t done = 0;    // handshakes that succeeded
        std::uint64_t failed = 0;  // that did not, or that the client gave up
    };
    virtual totals handshakes() const noexcept { return {}; }
    // When what a server shows of itself ends.
    virtual std::chrono::system_clock::time_point ends_at() const noexcept { return {}; }
};

// The client's side of it. Safe to use from any thread; outlives the clients.
class client_stream_maker {
public:
    virtual ~client_stream_maker() = default;
    // Of a connection to the server with this name or address, which it has to prove. The handshake
    // is what the first wait_writable() waits for: until that has succeeded, nothing is written,
    // and nobody reads. An end of the bytes that the server did not announce is an error.
    virtual std::unique_ptr<byte_stream> make(boost::asio::ip::tcp::socket socket,
                                              const std::string& host) = 0;
};

struct carriers {
    stream_maker* secure = nullptr;  // none: connections speak plain HTTP
    // Who may speak plain HTTP: others have to use what `secure` makes, or are dropped. Empty:
    // everybody if there is no `secure`, else nobody.
    address_ranges plain_from = {};
    // Fields of every answer over what `secure` makes, each with its CR LF.
    std::string secure_fields = {};

    bool may_speak_plainly(const boost::asio::ip::address& from) const noexcept {
        if (plain_from.empty()) return !secure;
        return contains(plain_from, bytes_of(from));
    }
};

}  // namespace orderproc::server::http

#endif
