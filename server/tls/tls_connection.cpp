#include "tls/tls_connection.hpp"

#include "http/socket.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/err.h>
#include <openssl/x509.h>

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

constexpr std::size_t unsent_wanted = 64 * 1024;  // for when there is room again
constexpr std::size_t read_at_once = 64 * 1024;
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

}  // namespace

tls_connection::tls_connection(tcp::socket socket, std::shared_ptr<ssl::context> with,
                               handshake_counts* handshakes)
    : context_(std::move(with)),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      handshakes_(handshakes),
      bytes_(socket_.native_handle()),
      tls_(SSL_new(context_->native_handle())) {
    if (!tls_) throw std::bad_alloc();
    socket_.non_blocking(true);
    bytes_.attach_to(native());
    SSL_set_read_ahead(native(), 1);  // a record takes one call of recv(2) instead of two
    if (is_client()) {
        SSL_set_connect_state(native());
    } else {
        SSL_set_accept_state(native());
    }
}

tls_connection::~tls_connection() {
    end_handshake();
}

void tls_connection::read_some(asio::mutable_buffer into, http::byte_stream_user& done) {
    into_ = into;
    read_cancelled_ = false;
    if (read_end_ || SSL_has_pending(native()) == 1) {
        asio::post(socket_.get_executor(), [self = shared_from_this()] { self->on_readable({}); });
    } else {
        wait_readable();
    }
    reader_ = &done;
}

std::size_t tls_connection::write_some(std::span<const asio::const_buffer> bytes, error_code& ec) {
    ec = failed_;
    if (!ec && !shaken_) ec = asio::error::not_connected;
    if (!ec && bytes_.unsent() > 0) ec = asio::error::would_block;
    if (ec) return 0;
    if (bytes.size() == 1) return write_records(record_source(bytes, nullptr), ec);
    record_source::room_for_one room;
    return write_records(record_source(bytes, &room), ec);
}

void tls_connection::wait_writable(http::byte_stream_user& done) {
    write_cancelled_ = false;
    if (bytes_.unsent() == 0) {  // else send_unsent() tells
        asio::post(socket_.get_executor(),
                   [self = shared_from_this()] { self->on_writable_asked({}); });
    }
    writer_ = &done;
}

bool tls_connection::readable() noexcept {
    if (shaken_ && SSL_has_pending(native()) == 1) return true;
    return http::peek(socket_) != asio::error::would_block;
}

bool tls_connection::was_reset() noexcept {
    return http::peek(socket_) == asio::error::connection_reset;
}

void tls_connection::shutdown(error_code& ec) noexcept {
    ec = failed_;
    if (ec || leaving_ || closed_) return;
    // A client gives up, and does not wait.
    if (is_client() && (!shaken_ || bytes_.unsent() > 0)) return;
    leaving_ = true;
    if (bytes_.unsent() == 0) say_farewell();
}

void tls_connection::cancel() noexcept {
    read_cancelled_ = write_cancelled_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

void tls_connection::close() noexcept {
    if (closed_) return;
    closed_ = true;
    end_handshake();
    // The other end hears no farewell but of shutdown(), unless it has said its own: nobody is to
    // take an answer that was broken off for a whole one.
    const bool answers_farewell = read_end_ == asio::error::eof;
    if (bytes_.unsent() == 0) {
        if (answers_farewell) say_farewell();
        return drop();
    }
    if (answers_farewell) leaving_ = true;
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

// Calls a function of OpenSSL's, which returns 1 if it succeeds. asio::error::would_block: it
// needs bytes from the other end. may_read: from the socket; else OpenSSL has what it has.
template <class Function>
error_code tls_connection::call(Function go, bool may_read) noexcept {
    ERR_clear_error();
    bytes_.allow_to_read(may_read ? read_at_once : 0);
    const int result = go(native());
    if (result == 1) return {};
    const int kind = SSL_get_error(native(), result);
    if (kind == SSL_ERROR_WANT_READ) {
        if (!bytes_.read_error()) return asio::error::would_block;
        if (bytes_.read_error() == asio::error::eof) return ssl::error::stream_truncated;
        return bytes_.read_error();
    }
    if (kind == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
    if (bytes_.write_error()) return bytes_.write_error();
    const auto why = static_cast<int>(ERR_get_error());
    if (why == 0) return ssl::error::unspecified_system_error;
    return {why, asio::error::get_ssl_category()};
}

error_code tls_connection::shake_hands() noexcept {
    error_code ec = call([](SSL* it) { return SSL_do_handshake(it); });
    send_unsent();
    if (ec == asio::error::would_block) return ec;
    if (ec && is_client()) ec = reason_of(ec);
    if (ec) {
        failed_ = read_end_ = ec;
    } else {
        shaken_ = true;
    }
    return ec;
}

// OpenSSL says no more of a certificate than that it was not verified.
error_code tls_connection::reason_of(error_code ec) noexcept {
    const long found = SSL_get_verify_result(native());
    if (found == X509_V_OK || ec.category() != asio::error::get_ssl_category()) return ec;
    return {static_cast<int>(found), client_errors};
}

// Nothing is unsent, so it waits for a handshake, if for anything: a client's, or for the rest
// of a message behind one, such as a ticket (RFC 8446, 4.6).
void tls_connection::on_writable_asked(error_code ec) noexcept {
    if (closed_ || write_cancelled_) ec = asio::error::operation_aborted;
    if (!ec && (is_client() || shaken_) && SSL_in_init(native()) == 1) {
        ec = shake_hands();
        if (ec == asio::error::would_block) return wait_for_handshake();
    }
    tell_writable(ec);
}

void tls_connection::wait_for_handshake() noexcept {
    try {
        socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code ec) {
            self->on_writable_asked(ec);
        });
    } catch (...) {
        tell_writable(asio::error::no_memory);
    }
}

void tls_connection::wait_readable() {
    socket_.async_wait(tcp::socket::wait_read,
                       [self = shared_from_this()](error_code ec) { self->on_readable(ec); });
}

void tls_connection::on_readable(error_code ec) noexcept {
    if (closed_ || read_cancelled_) ec = asio::error::operation_aborted;
    if (!ec) ec = read_end_;
    try {
        if (!ec && !shaken_) ec = is_client() ? asio::error::not_connected : accept_handshake();
        if (!ec) return read_records();
        if (ec == asio::error::would_block) return wait_readable();
    } catch (...) {
        ec = asio::error::no_memory;
    }
    end_handshake();
    tell_read(ec, 0);
}

// Of a server, called with something to read.
error_code tls_connection::accept_handshake() {
    if (!greeted_) {
        unsigned char first = 0;
        error_code ec;
        const std::size_t size =
            socket_.receive(asio::buffer(&first, 1), asio::socket_base::message_peek, ec);
        if (ec || size == 0) return ec ? ec : asio::error::eof;
        if (first != handshake_record) {
            answer_plainly();
            return asio::error::eof;
        }
        greeted_ = true;
    }
    if (!std::exchange(handshaking_, true)) ++handshakes_->under_way;
    const error_code ec = shake_hands();
    if (ec != asio::error::would_block) end_handshake(!ec);
    return ec;
}

void tls_connection::answer_plainly() {
    error_code ignored;
    socket_.write_some(asio::buffer(plain_answer()), ignored);
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    // Closing with bytes unread would reset the connection, and perhaps lose the answer.
    std::array<char, 4096> unread;
    for (std::size_t left = unread_max; left >= unread.size() && !ignored;) {
        left -= socket_.read_some(asio::buffer(unread), ignored);
    }
}

void tls_connection::end_handshake(bool done) noexcept {
    if (!std::exchange(handshaking_, false)) return;
    --handshakes_->under_way;
    ++(done ? handshakes_->done : handshakes_->failed);
}

void tls_connection::read_records() {
    std::size_t size = 0;
    error_code ec = take_records(into_, size);
    if (ec == asio::error::would_block) {
        if (size == 0) return wait_readable();
    } else if (ec) {
        read_end_ = end_of_reads(ec);
    }
    tell_read(size == 0 ? read_end_ : error_code(), size);
}

// As many as have room, of those that are there after one look at the socket: a peer that sends
// and sends would keep the thread to itself otherwise.
error_code tls_connection::take_records(asio::mutable_buffer into, std::size_t& size) noexcept {
    error_code ec;
    do {
        std::size_t got = 0;
        const asio::mutable_buffer room = into + size;
        ec = call([&](SSL* it) { return SSL_read_ex(it, room.data(), room.size(), &got); },
                  size == 0);
        size += got;
    } while (!ec && size < into.size() && SSL_has_pending(native()) == 1);
    send_unsent();  // the answer to a KeyUpdate, or an alert
    return ec;
}

// What a client has sent has its length. What it gets may end with the connection, and anybody
// could have ended that. Writing may go on behind any end, and behind nothing else.
error_code tls_connection::end_of_reads(error_code ec) noexcept {
    if (ec == ssl::error::stream_truncated) {
        if (is_client()) return {client_category::cut_off, client_errors};
        return asio::error::eof;
    }
    if (ec != asio::error::eof) failed_ = ec;
    return ec;
}

std::size_t tls_connection::write_records(record_source records, error_code& ec) noexcept {
    std::size_t size = 0;
    while (!ec && bytes_.unsent() < unsent_wanted) {
        const asio::const_buffer record = records.next();
        if (record.size() == 0) break;
        std::size_t all = 0;  // of the record, for there is always room
        ec = call([&](SSL* it) { return SSL_write_ex(it, record.data(), record.size(), &all); });
        size += all;
    }
    send_unsent();
    if (ec && bytes_.write_error()) ec = bytes_.write_error();  // also behind a close_notify
    if (ec && ec != asio::error::would_block) {
        failed_ = ec;
    } else if (size > 0) {
        ec = failed_;  // there may have been no memory to wait with
    }
    return size;
}

void tls_connection::send_unsent() noexcept {
    if (bytes_.unsent() == 0 || sending_) return;
    try {
        socket_.async_wait(tcp::socket::wait_write,
                           [self = shared_from_this()](error_code) { self->on_room(); });
        sending_ = true;
    } catch (...) {
        failed_ = asio::error::no_memory;
        bytes_.close();
    }
}

// Or the wait was cancelled, and begins again.
void tls_connection::on_room() noexcept {
    sending_ = false;
    if (socket_.is_open()) {
        const error_code ec = bytes_.flush();
        if (ec == asio::error::would_block) {
            send_unsent();
        } else if (ec) {
            failed_ = ec;
        }
        if (leaving_ && !sending_) {
            say_farewell();
        } else if (closed_ && !sending_) {
            end_sending();
        }
    }
    if (closed_ || write_cancelled_) {
        tell_writable(asio::error::operation_aborted);
    } else if (!sending_) {
        tell_writable(failed_);
    }
    if (closed_ && !sending_) await_farewell();
}

// close_notify, and the end of the connection's sending side. REQUIRES: nothing is unsent.
void tls_connection::say_farewell() noexcept {
    if (shaken_ && !failed_ && SSL_in_init(native()) == 0 && !std::exchange(gone_, true)) {
        call([](SSL* it) { return SSL_shutdown(it); });
        send_unsent();
        if (sending_) return;  // on_room() comes back
    }
    end_sending();
}

void tls_connection::end_sending() noexcept {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

// Of the other end. A connection that is closed with bytes unread is reset, and the other end
// might lose what was sent.
void tls_connection::await_farewell(bool more_is_there) noexcept {
    if (!socket_.is_open()) return;
    if (failed_ || !shaken_) return drop();
    try {
        auto go_on = [self = shared_from_this()](error_code ec) { self->on_farewell(ec); };
        if (more_is_there) {  // the timer, and others, have their turn in between
            asio::post(socket_.get_executor(), [go_on] { go_on({}); });
        } else {
            socket_.async_wait(tcp::socket::wait_read, std::move(go_on));
        }
    } catch (...) {
        drop();
    }
}

void tls_connection::on_farewell(error_code ec) noexcept {
    if (!socket_.is_open()) return;
    std::array<char, 4096> unread;
    std::size_t ignored = 0;
    if (!ec) ec = take_records(asio::buffer(unread), ignored);
    if (ec && ec != asio::error::would_block) return drop();
    await_farewell(!ec && SSL_has_pending(native()) == 1);
}

void tls_connection::drop() noexcept {
    error_code ignored;
    timer_.cancel();
    bytes_.close();
    socket_.close(ignored);
}

void tls_connection::tell_read(error_code ec, std::size_t size) noexcept {
    if (closed_) ec = asio::error::operation_aborted;
    if (auto* const to = std::exchange(reader_, nullptr)) to->on_read(ec, size);
}

void tls_connection::tell_writable(error_code ec) noexcept {
    if (auto* const to = std::exchange(writer_, nullptr)) to->on_writable(ec);
}

}  // namespace orderproc::server::tls
