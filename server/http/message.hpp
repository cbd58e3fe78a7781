#ifndef ORDERPROC_SERVER_HTTP_MESSAGE_HPP
#define ORDERPROC_SERVER_HTTP_MESSAGE_HPP

// A request and its answer as the handlers see them: no socket, no parser.

#include "http/body_source.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace orderproc::server::http {

struct field {
    std::string_view name;
    std::string_view value;
};

// ASCII, as RFC 9110 compares names and tokens.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

// Sixteen bytes, IPv4 as IPv6 maps it (RFC 4291, 2.5.5.2), so that one address has one form.
using address_bytes = std::array<unsigned char, 16>;

// Everything points into buffers of the connection: valid until the answer was taken.
struct request {
    std::string_view method;
    std::string_view path;   // as sent: still percent-encoded, without the query
    std::string_view query;  // as sent, without the question mark
    std::span<const field> fields;
    std::string_view body;
    std::string_view id;   // X-Request-Id: the caller's if it is valid, else made
    address_bytes peer{};  // the other end of the connection: a client, or a proxy
    // Who asks, if session::admit() found out; empty: known by the address alone.
    std::string_view principal;
    bool bound = false;  // that sees its own orders alone

    // The value of the first field of that name; empty if there is none.
    std::string_view find(std::string_view name) const noexcept;
};

struct response {
    unsigned status = 200;
    std::string_view content_type = "application/json";  // a literal; unused without a body
    std::string fields;                                  // whole lines, each with its CRLF
    std::string body;
    std::uint32_t cost = 1;  // of the request, in tokens of the rate limit
    // Sends the body instead, for as long as it likes; the connection ends with it.
    std::unique_ptr<body_source> stream;

    // REQUIRES: no control characters in the value.
    void add(std::string_view name, std::string_view value);
    void clear() noexcept;  // keeps the memory
};

}  // namespace orderproc::server::http

#endif
