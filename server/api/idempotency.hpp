#ifndef ORDERPROC_SERVER_API_IDEMPOTENCY_HPP
#define ORDERPROC_SERVER_API_IDEMPOTENCY_HPP

// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), but any printable text.

#include "http/message.hpp"

#include <orderproc/change.hpp>

#include <cstddef>
#include <string_view>

namespace orderproc::server {

inline constexpr std::size_t idempotency_key_size_max = 255;

struct key_field {
    std::string_view text;  // empty: there is none
    bool valid = true;      // 1 to idempotency_key_size_max printable ASCII characters, once
};
key_field read_idempotency_key(const http::request& in) noexcept;

// The first 16 bytes of SHA-256.
digest digest_of(std::string_view text);

// What the storage knows the request by: 16 bytes of SHA-256 of principal, method, path and
// key, and of the body. The path is the one that was sent.
idempotency make_idempotency(std::string_view principal, const http::request& in,
                             std::string_view key, std::string_view body);

}  // namespace orderproc::server

#endif
