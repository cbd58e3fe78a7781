#ifndef ORDERPROC_SERVER_HTTP_CLIENT_ADDRESS_HPP
#define ORDERPROC_SERVER_HTTP_CLIENT_ADDRESS_HPP

// Whose request it is, when proxies pass it on.

#include "http/message.hpp"

#include <orderproc/error.hpp>

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace orderproc::server::http {

address_bytes bytes_of(const boost::asio::ip::address& it) noexcept;

// What limits count by: the address, or the /64 network of an IPv6 one, all of which are its
// owner's to choose from.
address_bytes client_network(const address_bytes& it) noexcept;

// Addresses that begin alike (RFC 4632).
class address_range {
public:
    // "10.0.0.0/8", "fd00::/8", or one address. errc::invalid_argument for anything else.
    static result<address_range> parse(std::string_view text);
    bool contains(const address_bytes& it) const noexcept;

private:
    address_bytes first_{};
    std::size_t bits_ = 128;
};

using address_ranges = std::vector<address_range>;
bool contains(const address_ranges& any, const address_bytes& it) noexcept;

// The peer, unless it is a trusted proxy: then the rightmost address in X-Forwarded-For that is
// none. What stands left of that, anybody could have written. Where the list is malformed or
// ends, the proxy that wrote last is the client.
address_bytes client_of(const request& in, const address_bytes& peer,
                        const address_ranges& trusted) noexcept;

}  // namespace orderproc::server::http

#endif
