#ifndef ORDERPROC_SERVER_HTTP_SOCKET_HPP
#define ORDERPROC_SERVER_HTTP_SOCKET_HPP

// TCP sockets that programs started by this process do not inherit. Asio's own are inherited: a
// program that outlives a server would keep its port, and its clients' connections, open.

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace orderproc::server::http {

// As open(), which is not to be called then. Connecting does not open it again.
void open_socket(boost::asio::ip::tcp::socket& it, const boost::asio::ip::tcp& protocol,
                 boost::system::error_code& ec);
void open_socket(boost::asio::ip::tcp::acceptor& it, const boost::asio::ip::tcp& protocol,
                 boost::system::error_code& ec);

// The next connection, if there is one: else asio::error::would_block. REQUIRES: the acceptor is
// non-blocking.
void accept_socket(boost::asio::ip::tcp::acceptor& from, boost::asio::ip::tcp::socket& out,
                   boost::asio::ip::tcp::endpoint& peer, boost::system::error_code& ec);

// What reading a byte would end with, although none is taken: asio::error::would_block, nothing has
// come yet. REQUIRES: the socket is non-blocking.
boost::system::error_code peek(boost::asio::ip::tcp::socket& from) noexcept;

}  // namespace orderproc::server::http

#endif
