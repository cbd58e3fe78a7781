#ifndef ORDERPROC_SERVER_TLS_TLS_STREAM_HPP
#define ORDERPROC_SERVER_TLS_TLS_STREAM_HPP

// The bytes of one connection over TLS.

#include "http/byte_stream.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace orderproc::server::tls {

struct handshake_counts {
    std::atomic<std::size_t> under_way{0};
    std::atomic<std::uint64_t> done{0};
    std::atomic<std::uint64_t> failed{0};
};

// The socket is open and connected. The first read shakes hands, so the time-outs of reads are
// those of handshakes as well. handshakes: kept up to date, and outlives the stream. A
// client that speaks plain HTTP is answered 400 in clear, once.
std::unique_ptr<http::byte_stream> make_tls_stream(boost::asio::ip::tcp::socket socket,
                                                   std::shared_ptr<boost::asio::ssl::context> with,
                                                   handshake_counts& handshakes);

// The client's side, as http::client_stream_maker has it. The server's certificate has to be one of
// the context's authorities', and to have the host among its alternative names: its names if it is
// a name, which is also sent (SNI), its addresses if it is an address.
std::unique_ptr<http::byte_stream> make_tls_client_stream(
    boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> with,
    const std::string& host);

}  // namespace orderproc::server::tls

#endif
