#ifndef ORDERPROC_SERVER_CLIENT_ADDRESS_GUARD_HPP
#define ORDERPROC_SERVER_CLIENT_ADDRESS_GUARD_HPP

// Which addresses may be called if somebody else than the operator names them: a client, a token.
// Without this, a server could be made to call its own network for them (server-side request
// forgery). No I/O: guarded_client.hpp resolves, connects and asks these functions.

#include "client/host_addresses.hpp"
#include "client/http_url.hpp"
#include "http/client_address.hpp"

#include <orderproc/error.hpp>

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace orderproc::server {

// All that is said of a refusal: never what a name resolved to.
inline constexpr const char* address_not_allowed = "this address is not allowed";

// What is allowed beyond the default: https, to the port 443 of public addresses.
struct guard_policy {
    http::address_ranges networks;     // although they are not public, or are this machine's own
    std::vector<std::uint16_t> ports;  // besides 443 (and 80, if plain_http)
    bool plain_http = false;
    bool local_names = false;  // "printer", "localhost", "x.local", "x.internal": what they
                               // resolve to has to be allowed as well
};

// Reads a URL strictly: parse_http_url() with these rules besides. At most 2,048 bytes. The host is
// an IPv4 address in its one usual form (four plain decimals), an IPv6 address without a zone, or a
// name of two or more labels (RFC 1123) whose last one is no number in any notation. One dot at the
// end is removed, and letters become small. errc::invalid_argument: the URL, its scheme, its port,
// its name or its address is not allowed. A name that passes still has to be resolved and asked
// about with admits().
result<http_url> parse_guarded_url(std::string_view text, const guard_policy& policy);

// The address is one that IANA's registries of special-purpose addresses call globally reachable,
// and unicast; of IPv6, in 2000::/3. Not so: the whole blocks of protocol assignments 192.0.0.0/24
// and 2001::/23, Teredo among them, and 6to4, although some of these addresses are reachable. An
// IPv4 address within IPv6 (::ffff:0:0/96, or NAT64's 64:ff9b::/96) is judged as the IPv4 address.
bool is_public(const boost::asio::ip::address& it) noexcept;

// Every one of the addresses is public and none of own, or is in the policy's networks. One that is
// not refuses all of them, as do none at all, and more than 32. own: this machine's addresses.
bool admits(const guard_policy& policy, const host_addresses& all,
            const host_addresses& own) noexcept;

}  // namespace orderproc::server

#endif
