#ifndef ORDERPROC_IDEMPOTENCY_HPP
#define ORDERPROC_IDEMPOTENCY_HPP

// Idempotency keys (draft-ietf-httpapi-idempotency-key-header): what a storage keeps of a request,
// so that the same request, sent again, is answered and not done again.

#include <orderproc/config.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace orderproc {
inline namespace v1 {

using digest = std::array<std::byte, 16>;

// The first 16 bytes of SHA-256 (FIPS 180-4) of the text. Thread-safe; does not throw.
ORDERPROC_EXPORT digest digest_of(std::string_view text) noexcept;
// The first 16 bytes of HMAC-SHA-256 (RFC 2104, section 5) of the text: only whoever has the key
// can make it. Thread-safe. Throws std::bad_alloc.
ORDERPROC_EXPORT digest keyed_digest_of(std::string_view key, std::string_view text);

// What a repository knows a request by: two requests with the same key and another body are
// refused (errc::idempotency_mismatch), and with the same body the second is a replay.
struct idempotency {
    digest key{};
    digest body{};
    friend bool operator==(const idempotency&, const idempotency&) = default;
};

// Within which a key means one request: the same text may be used again elsewhere. No part
// contains NUL.
struct idempotency_scope {
    std::string_view principal;  // who asks; empty: nobody in particular
    std::string_view method;     // "POST"
    std::string_view route;      // the name of the operation: "create_order"
    std::string_view order;      // the order's id as the storage knows it, decoded; empty: none
};

// The digests of a request. The form is stable: keys that an earlier version has stored are
// recognised. A host with an interface of its own uses it as the HTTP server does, so that a
// request that was sent to both is done once. May throw std::bad_alloc.
ORDERPROC_EXPORT idempotency make_idempotency(const idempotency_scope& scope, std::string_view key,
                                              std::string_view body);

}  // namespace v1
}  // namespace orderproc

#endif
