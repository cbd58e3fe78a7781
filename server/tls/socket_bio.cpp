#include "tls/socket_bio.hpp"

#include <boost/asio/error.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace orderproc::server::tls {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t unsent_max = 256 * 1024;
constexpr std::size_t capacity_kept = 1024;  // of what was sent late

bool no_room_or_data() noexcept {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

error_code last_error() noexcept {
    return {errno, boost::system::system_category()};
}

}  // namespace

// What OpenSSL calls. Neither function ever asks for the same write again.
BIO_METHOD* socket_bio::make_method() {
    BIO_METHOD* const out =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "orderproc socket");
    if (!out) throw std::bad_alloc();
    BIO_meth_set_read(out, [](BIO* from, char* to, int size) {
        BIO_clear_retry_flags(from);
        auto* const it = static_cast<socket_bio*>(BIO_get_data(from));
        const int got = it->read(to, static_cast<std::size_t>(size));
        if (got < 0) BIO_set_retry_read(from);
        return got;
    });
    BIO_meth_set_write(out, [](BIO* to, const char* from, int size) {
        BIO_clear_retry_flags(to);
        auto* const it = static_cast<socket_bio*>(BIO_get_data(to));
        return it->write(from, static_cast<std::size_t>(size)) ? size : -1;
    });
    BIO_meth_set_ctrl(
        out, [](BIO*, int what, long, void*) -> long { return what == BIO_CTRL_FLUSH ? 1 : 0; });
    return out;
}

void socket_bio::attach_to(SSL* user) {
    static BIO_METHOD* const method = make_method();  // as long as the process: BIOs point to it
    BIO* const it = BIO_new(method);
    if (!it) throw std::bad_alloc();
    BIO_set_data(it, this);
    BIO_set_init(it, 1);
    SSL_set_bio(user, it, it);
}

error_code socket_bio::flush() noexcept {
    flushed_ += send(unsent_.data() + flushed_, unsent());
    if (unsent() > 0) return asio::error::would_block;
    forget_unsent();
    return write_error_;
}

void socket_bio::close() noexcept {
    socket_ = -1;
    forget_unsent();
}

// -1: more has to be waited for, in vain if there is a read_error().
int socket_bio::read(char* to, std::size_t size) noexcept {
    size = std::min(size, may_read_);
    if (read_error_ || size == 0) return -1;
    ssize_t got = -1;
    do {
        got = ::recv(socket_, to, size, 0);
    } while (got < 0 && errno == EINTR);
    if (got == 0) read_error_ = asio::error::eof;
    if (got < 0 && !no_room_or_data()) read_error_ = last_error();
    if (got <= 0) return -1;
    may_read_ -= static_cast<std::size_t>(got);
    return static_cast<int>(got);
}

bool socket_bio::write(const char* from, std::size_t size) noexcept {
    if (write_error_) return false;
    const std::size_t sent = unsent() == 0 ? send(from, size) : 0;
    if (write_error_ || sent == size) return !write_error_;
    if (unsent() + size - sent > unsent_max) return fail(asio::error::no_buffer_space), false;
    if (flushed_ >= unsent()) {  // else what is never flushed to its end would grow for ever
        unsent_.erase(0, flushed_);
        flushed_ = 0;
    }
    try {
        unsent_.append(from + sent, size - sent);
        return true;
    } catch (const std::bad_alloc&) {
        return fail(asio::error::no_memory), false;
    }
}

// How many bytes the socket had room for; 0 and a write_error_: it failed.
std::size_t socket_bio::send(const char* from, std::size_t size) noexcept {
    std::size_t sent = 0;
    while (sent < size) {
        const ssize_t taken = ::send(socket_, from + sent, size - sent, MSG_NOSIGNAL);
        if (taken >= 0) {
            sent += static_cast<std::size_t>(taken);
        } else if (errno != EINTR) {
            if (!no_room_or_data()) return fail(last_error()), 0;
            break;
        }
    }
    return sent;
}

void socket_bio::fail(error_code ec) noexcept {
    write_error_ = ec;
    forget_unsent();
}

void socket_bio::forget_unsent() noexcept {
    unsent_.clear();
    flushed_ = 0;
    if (unsent_.capacity() > capacity_kept) std::string().swap(unsent_);  // "= {}" would keep it
}

}  // namespace orderproc::server::tls
