#include "tls/tls_stream.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server::tls {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t written_at_once = 64 * 1024;
constexpr std::chrono::seconds farewell_timeout(1);
constexpr std::size_t unread_max = 64 * 1024;
constexpr unsigned char handshake_record = 0x16;

std::string plain_answer() {
    constexpr std::string_view body =
        R"({"type":"urn:orderproc:problem:bad_request","title":"The request is malformed",)"
        R"("status":400,"detail":"this port speaks https","code":"bad_request"})";
    std::string out =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
        "Connection: close\r\nContent-Length: ";
    return out.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

// What only a client meets: OpenSSL's reasons not to accept a certificate, and one more.
class client_category final : public boost::system::error_category {
public:
    static constexpr int cut_off = -1;
    const char* name() const noexcept override { return "tls"; }
    std::string message(int value) const override {
        if (value == cut_off) return "the connection was cut off: TLS did not say that it ends";
        return std::string("the server's certificate was not accepted: ") +
               X509_verify_cert_error_string(value);
    }
};
const client_category client_errors;

// The name or address that the certificate has to have, among its alternative names: the common
// name of its subject says nothing (RFC 9525, 6.3).
void expect_host(SSL* of, std::string host) {
    if (host.ends_with('.')) host.pop_back();
    error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(of);
    X509_VERIFY_PARAM_set_hostflags(
        wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const bool done = not_an_address
                          ? SSL_set_tlsext_host_name(of, host.c_str()) == 1 &&
                                X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1
                          : X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
    if (!done) throw std::bad_alloc();  // nothing else can fail
}

// Asio's stream cannot write without blocking, so what is written is copied, and sent behind the
// caller's back: one such write at a time. It outlives the byte_stream for as long as that, and the
// farewell, take.
class tls_connection final : public std::enable_shared_from_this<tls_connection> {
public:
    // handshakes: of a server; nullptr: it is a client's.
    tls_connection(tcp::socket socket, std::shared_ptr<ssl::context> with,
                   handshake_counts* handshakes)
        : context_(std::move(with)),
          stream_(std::move(socket), *context_),
          timer_(stream_.get_executor()),
          handshakes_(handshakes) {
        stream_.next_layer().non_blocking(true);
    }
    SSL* native() noexcept { return stream_.native_handle(); }
    ~tls_connection() { end_handshake(); }

    // Of a read: cancel() ends it and leaves what is being written alone.
    template <class Handler>
    auto cancellable(Handler handler) {
        return asio::bind_cancellation_slot(reading_.slot(), std::move(handler));
    }

    void read_some(asio::mutable_buffer into, http::byte_stream_user& done) {
        reader_ = &done;
        if (shaken_) return read_record(into);
        stream_.next_layer().async_wait(
            tcp::socket::wait_read, cancellable([self = shared_from_this(), into](error_code ec) {
                if (ec) return self->tell_read(ec, 0);
                self->shake_hands(into);
            }));
    }

    std::size_t write_some(std::span<const asio::const_buffer> bytes, error_code& ec) {
        ec = failed_;
        if (!ec && !shaken_) ec = asio::error::not_connected;
        if (!ec && writing_) ec = asio::error::would_block;
        if (ec) return 0;
        std::size_t size = 0;
        out_.clear();
        for (const asio::const_buffer& it : bytes) {
            const std::size_t taken = std::min(it.size(), written_at_once - size);
            out_.append(static_cast<const char*>(it.data()), taken);
            size += taken;
        }
        if (size > 0) send();
        return size;
    }

    void wait_writable(http::byte_stream_user& done) {
        writer_ = &done;
        if (is_client() && !shaken_) return greet();
        if (!writing_) {
            asio::post(stream_.get_executor(),
                       [self = shared_from_this()] { self->tell_writable({}); });
        }
    }

    bool readable() noexcept {
        error_code ec;
        if (shaken_ && SSL_has_pending(stream_.native_handle()) == 1) return true;
        return stream_.next_layer().available(ec) > 0 && !ec;
    }

    bool was_reset() noexcept {
        char unused = 0;
        error_code ec;
        stream_.next_layer().receive(asio::buffer(&unused, 1), asio::socket_base::message_peek, ec);
        return ec == asio::error::connection_reset;
    }

    void shutdown(error_code& ec) noexcept {
        ec = failed_;
        if (ec || leaving_ || closed_) return;
        if (is_client() && (!shaken_ || writing_)) return;  // it gives up, and does not wait
        leaving_ = true;
        if (!writing_) say_farewell();
    }

    void cancel() noexcept { reading_.emit(asio::cancellation_type::terminal); }

    // What was begun is still sent, as TCP sends what it has been given; not for long.
    void close() noexcept {
        if (closed_) return;
        closed_ = true;
        end_handshake();
        if (!writing_) return drop();
        leaving_ = true;
        cancel();
        try {
            timer_.expires_after(farewell_timeout);
            timer_.async_wait([self = shared_from_this()](error_code ec) {
                if (!ec) self->drop();
            });
        } catch (...) {  // no memory for that: it ends now
            drop();
        }
    }

private:
    bool is_client() const noexcept { return !handshakes_; }

    void greet() {
        stream_.async_handshake(
            ssl::stream_base::client, [self = shared_from_this()](error_code ec) {
                self->failed_ = ec ? self->reason_of(ec) : ec;
                self->shaken_ = !ec;
                self->tell_writable(self->closed_ ? asio::error::operation_aborted : self->failed_);
            });
    }

    // OpenSSL says no more of a certificate than that it was not verified.
    error_code reason_of(error_code ec) noexcept {
        const long found = SSL_get_verify_result(native());
        if (found == X509_V_OK || ec.category() != asio::error::get_ssl_category()) return ec;
        return {static_cast<int>(found), client_errors};
    }

    // Called with something to read.
    void shake_hands(asio::mutable_buffer into) {
        unsigned char first = 0;
        error_code ec;
        const std::size_t size = stream_.next_layer().receive(asio::buffer(&first, 1),
                                                              asio::socket_base::message_peek, ec);
        if (ec || size == 0) return tell_read(ec ? ec : asio::error::eof, 0);
        if (first != handshake_record) return answer_plainly();
        handshaking_ = true;
        ++handshakes_->under_way;
        stream_.async_handshake(ssl::stream_base::server,
                                cancellable([self = shared_from_this(), into](error_code failed) {
                                    self->end_handshake(!failed);
                                    if (failed) return self->tell_read(failed, 0);
                                    self->shaken_ = true;
                                    if (self->closed_) {
                                        return self->tell_read(asio::error::operation_aborted, 0);
                                    }
                                    self->read_record(into);
                                }));
    }

    void answer_plainly() {
        error_code ignored;
        stream_.next_layer().write_some(asio::buffer(plain_answer()), ignored);
        stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
        // Closing with bytes unread would reset the connection, and perhaps lose the answer.
        std::array<char, 4096> unread;
        for (std::size_t left = unread_max; left >= unread.size() && !ignored;) {
            left -= stream_.next_layer().read_some(asio::buffer(unread), ignored);
        }
        tell_read(asio::error::eof, 0);
    }

    void end_handshake(bool done = false) noexcept {
        if (!handshaking_) return;
        handshaking_ = false;
        --handshakes_->under_way;
        ++(done ? handshakes_->done : handshakes_->failed);
    }

    void read_record(asio::mutable_buffer into) {
        stream_.async_read_some(
            into, cancellable([self = shared_from_this()](error_code ec, std::size_t size) {
                if (ec == ssl::error::stream_truncated) ec = self->end_unannounced();
                self->tell_read(ec, size);
            }));
    }

    // What a client has sent has its length. What it gets may end with the connection, and anybody
    // could have ended that.
    error_code end_unannounced() const noexcept {
        if (is_client()) return {client_category::cut_off, client_errors};
        return asio::error::eof;
    }

    void send() {
        writing_ = true;
        asio::async_write(
            stream_, asio::buffer(out_), [self = shared_from_this()](error_code ec, std::size_t) {
                self->writing_ = false;
                self->failed_ = ec;
                if (self->out_.capacity() > written_at_once / 4) self->out_ = {};
                if (self->leaving_) self->say_farewell();
                self->tell_writable(self->closed_ ? asio::error::operation_aborted : ec);
            });
    }

    // close_notify, and the end of the connection's sending side once the client has said it, too.
    void say_farewell() noexcept {
        if (gone_ || failed_) return drop_if_closed();
        gone_ = true;
        try {
            stream_.async_shutdown([self = shared_from_this()](error_code) {
                error_code ignored;
                self->stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
                self->drop_if_closed();
            });
        } catch (...) {
            drop();
        }
    }

    void drop_if_closed() noexcept {
        if (closed_) drop();
    }

    void drop() noexcept {
        error_code ignored;
        timer_.cancel();
        stream_.next_layer().close(ignored);
    }

    void tell_read(error_code ec, std::size_t size) {
        if (closed_) ec = asio::error::operation_aborted;
        if (auto* const to = std::exchange(reader_, nullptr)) to->on_read(ec, size);
    }
    void tell_writable(error_code ec) {
        if (auto* const to = std::exchange(writer_, nullptr)) to->on_writable(ec);
    }

    const std::shared_ptr<ssl::context> context_;  // of this connection, whatever comes later
    ssl::stream<tcp::socket> stream_;
    asio::steady_timer timer_;
    asio::cancellation_signal reading_;
    handshake_counts* const handshakes_;
    std::string out_;
    http::byte_stream_user* reader_ = nullptr;
    http::byte_stream_user* writer_ = nullptr;
    error_code failed_;
    bool handshaking_ = false;
    bool shaken_ = false;
    bool writing_ = false;
    bool leaving_ = false;  // shutdown() was called
    bool gone_ = false;     // the farewell is said
    bool closed_ = false;
};

class tls_stream final : public http::byte_stream {
public:
    explicit tls_stream(std::shared_ptr<tls_connection> it) : it_(std::move(it)) {}
    ~tls_stream() override { it_->close(); }
    void read_some(asio::mutable_buffer into, http::byte_stream_user& done) override {
        it_->read_some(into, done);
    }
    std::size_t write_some(std::span<const asio::const_buffer> bytes, error_code& ec) override {
        return it_->write_some(bytes, ec);
    }
    void wait_writable(http::byte_stream_user& done) override { it_->wait_writable(done); }
    bool secure() const noexcept override { return true; }
    bool readable() noexcept override { return it_->readable(); }
    bool was_reset() noexcept override { return it_->was_reset(); }
    void shutdown(error_code& ec) noexcept override { it_->shutdown(ec); }
    void cancel() noexcept override { it_->cancel(); }
    void close() noexcept override { it_->close(); }

private:
    const std::shared_ptr<tls_connection> it_;
};

}  // namespace

std::unique_ptr<http::byte_stream> make_tls_stream(tcp::socket socket,
                                                   std::shared_ptr<ssl::context> with,
                                                   handshake_counts& handshakes) {
    return std::make_unique<tls_stream>(
        std::make_shared<tls_connection>(std::move(socket), std::move(with), &handshakes));
}

std::unique_ptr<http::byte_stream> make_tls_client_stream(tcp::socket socket,
                                                          std::shared_ptr<ssl::context> with,
                                                          const std::string& host) {
    auto made = std::make_shared<tls_connection>(std::move(socket), std::move(with), nullptr);
    expect_host(made->native(), host);
    return std::make_unique<tls_stream>(std::move(made));
}

}  // namespace orderproc::server::tls
