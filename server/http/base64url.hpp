#ifndef ORDERPROC_SERVER_HTTP_BASE64URL_HPP
#define ORDERPROC_SERVER_HTTP_BASE64URL_HPP

// base64url (RFC 4648, 5) without padding.

#include <optional>
#include <string>
#include <string_view>

namespace orderproc::server::http {

std::string to_base64url(std::string_view bytes);

// None if it is not what to_base64url() makes of any bytes: a character is of another alphabet, the
// length is impossible, or bits are set behind the last byte.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace orderproc::server::http

#endif
