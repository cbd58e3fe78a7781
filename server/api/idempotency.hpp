#ifndef ORDERPROC_SERVER_API_IDEMPOTENCY_HPP
#define ORDERPROC_SERVER_API_IDEMPOTENCY_HPP

// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), but any printable text.

#include "http/message.hpp"

#include <cstddef>
#include <string_view>

namespace orderproc::server {

inline constexpr std::size_t idempotency_key_size_max = 255;

struct key_field {
    std::string_view text;  // empty: there is none
    bool valid = true;      // 1 to idempotency_key_size_max printable ASCII characters, once
};
key_field read_idempotency_key(const http::request& in) noexcept;

}  // namespace orderproc::server

#endif
