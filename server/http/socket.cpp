#include "http/socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace orderproc::server::http {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

error_code last_error() {
    return {errno, boost::system::system_category()};
}

template <class Socket>
void give(Socket& to, const tcp& protocol, int descriptor, error_code& ec) {
    to.assign(protocol, descriptor, ec);
    if (ec) ::close(descriptor);
}

template <class Socket>
void open(Socket& it, const tcp& protocol, error_code& ec) {
    const int made =
        ::socket(protocol.family(), protocol.type() | SOCK_CLOEXEC, protocol.protocol());
    if (made < 0) {
        ec = last_error();
        return;
    }
    give(it, protocol, made, ec);
}

}  // namespace

void open_socket(tcp::socket& it, const tcp& protocol, error_code& ec) {
    open(it, protocol, ec);
}

void open_socket(tcp::acceptor& it, const tcp& protocol, error_code& ec) {
    open(it, protocol, ec);
}

void accept_socket(tcp::acceptor& from, tcp::socket& out, tcp::endpoint& peer, error_code& ec) {
    auto size = static_cast<socklen_t>(peer.capacity());
    int made = -1;
    do {
        made = ::accept4(from.native_handle(), peer.data(), &size, SOCK_CLOEXEC);
    } while (made < 0 && errno == EINTR);
    if (made < 0) {
        ec = last_error();
        return;
    }
    peer.resize(size);
    give(out, peer.protocol(), made, ec);
}

error_code peek(tcp::socket& from) noexcept {
    char unused = 0;
    error_code ec;
    from.receive(boost::asio::buffer(&unused, 1), boost::asio::socket_base::message_peek, ec);
    if (ec == boost::asio::error::try_again) ec = boost::asio::error::would_block;
    return ec;
}

}  // namespace orderproc::server::http
