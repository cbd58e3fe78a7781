#ifndef ORDERPROC_SERVER_TLS_TLS_CONNECTION_HPP
#define ORDERPROC_SERVER_TLS_TLS_CONNECTION_HPP

// What is behind a byte_stream over TLS. Internal to tls_stream.cpp.

#include "http/byte_stream.hpp"
#include "tls/record_source.hpp"
#include "tls/socket_bio.hpp"
#include "tls/tls_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>

namespace orderproc::server::tls {

// Reads and writes when its user asks for it. What the socket has no room for is sent behind the
// user's back: so it outlives the byte_stream for as long as that, and the farewell, take.
class tls_connection final : public std::enable_shared_from_this<tls_connection> {
public:
    // handshakes: of a server; nullptr: it is a client's.
    tls_connection(boost::asio::ip::tcp::socket socket,
                   std::shared_ptr<boost::asio::ssl::context> with, handshake_counts* handshakes);
    ~tls_connection();
    SSL* native() noexcept { return tls_.get(); }

    // As byte_stream has them.
    void read_some(boost::asio::mutable_buffer into, http::byte_stream_user& done);
    std::size_t write_some(std::span<const boost::asio::const_buffer> bytes,
                           boost::system::error_code& ec);
    void wait_writable(http::byte_stream_user& done);
    bool readable() noexcept;
    bool was_reset() noexcept;
    void shutdown(boost::system::error_code& ec) noexcept;
    // What was written is still sent, as TCP sends what it has been given. Behind close() not for
    // long.
    void cancel() noexcept;
    void close() noexcept;

private:
    using error_code = boost::system::error_code;
    struct free_tls {
        void operator()(SSL* it) const noexcept { SSL_free(it); }
    };

    bool is_client() const noexcept { return !handshakes_; }
    template <class Function>
    error_code call(Function go, bool may_read = true) noexcept;

    error_code shake_hands() noexcept;
    error_code reason_of(error_code ec) noexcept;
    error_code accept_handshake();
    void answer_plainly();
    void end_handshake(bool done = false) noexcept;

    void wait_readable();
    void on_readable(error_code ec) noexcept;
    void read_records();
    error_code take_records(boost::asio::mutable_buffer into, std::size_t& size) noexcept;
    error_code end_of_reads(error_code ec) noexcept;

    std::size_t write_records(record_source records, error_code& ec) noexcept;
    void on_writable_asked(error_code ec) noexcept;
    void wait_for_handshake() noexcept;
    void send_unsent() noexcept;
    void on_room() noexcept;

    void say_farewell() noexcept;
    void end_sending() noexcept;
    void await_farewell(bool more_is_there = false) noexcept;
    void on_farewell(error_code ec) noexcept;
    void drop() noexcept;
    void tell_read(error_code ec, std::size_t size) noexcept;
    void tell_writable(error_code ec) noexcept;

    const std::shared_ptr<boost::asio::ssl::context> context_;  // whatever comes later
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer timer_;
    handshake_counts* const handshakes_;
    socket_bio bytes_;
    const std::unique_ptr<SSL, free_tls> tls_;  // uses bytes_
    boost::asio::mutable_buffer into_;
    http::byte_stream_user* reader_ = nullptr;
    http::byte_stream_user* writer_ = nullptr;
    error_code failed_;    // nothing more is written
    error_code read_end_;  // nothing more is read
    bool read_cancelled_ = false;
    bool write_cancelled_ = false;
    bool greeted_ = false;      // by a client that speaks TLS
    bool handshaking_ = false;  // and counted as such
    bool shaken_ = false;
    bool sending_ = false;  // what is unsent
    bool leaving_ = false;  // shutdown() was called
    bool gone_ = false;     // close_notify is said
    bool closed_ = false;
};

}  // namespace orderproc::server::tls

#endif
