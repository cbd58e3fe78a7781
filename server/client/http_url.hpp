#ifndef ORDERPROC_SERVER_CLIENT_HTTP_URL_HPP
#define ORDERPROC_SERVER_CLIENT_HTTP_URL_HPP

#include <orderproc/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace orderproc::server {

struct http_url {
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 80;
    std::string path = "/";  // with the query, if there is one

    // As the Host field has it: an IPv6 address in brackets, and the port unless it is 80.
    std::string authority() const;
    // For logs and messages: without the query, which may hold a secret.
    std::string shown() const;
};

// "http://host[:port][/path][?query]" (RFC 9110, 4.2.1). errc::invalid_argument for anything else,
// https and user names as well. The error repeats the text only if that cannot hold a secret: never
// the query, and nothing at all of a text with an "@" in it.
result<http_url> parse_http_url(std::string_view text);

}  // namespace orderproc::server

#endif
