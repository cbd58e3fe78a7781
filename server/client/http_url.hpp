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
    bool secure = false;     // https

    // As the Host field has it: an IPv6 address in brackets, and the port unless it is the
    // scheme's.
    std::string authority() const;
    // The host is a loopback address, or "localhost".
    bool on_this_machine() const noexcept;
    // For logs and messages: without the query, which may hold a secret.
    std::string shown() const;
};

// What is said where https is asked for and nothing can carry it.
inline constexpr const char* https_needs_tls = "https:// needs TLS, which this build does not have";

// "http://host[:port][/path][?query]", or https (RFC 9110, 4.2.1 and 4.2.2). errc::invalid_argument
// for anything else, user names and fragments as well. The error repeats the text only if that
// cannot hold a secret: never the query, and nothing at all of a text with an "@" in it.
result<http_url> parse_http_url(std::string_view text);

}  // namespace orderproc::server

#endif
