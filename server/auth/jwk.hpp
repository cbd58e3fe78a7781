#ifndef ORDERPROC_SERVER_AUTH_JWK_HPP
#define ORDERPROC_SERVER_AUTH_JWK_HPP

// The public keys that tokens are verified with: JSON Web Keys (RFC 7517, 7518, 8037).

#include <orderproc/error.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace orderproc::server::auth {

// How a token may be signed. There are no others: neither "none" nor one with a shared secret.
enum class jwt_algorithm : std::uint8_t { es256, eddsa, rs256 };
std::string_view to_string(jwt_algorithm it) noexcept;  // "ES256", as a token's header names it
std::optional<jwt_algorithm> find_jwt_algorithm(std::string_view name) noexcept;

// One key, which is for one algorithm. Immutable but for its end. Safe to use from any thread.
class jwk {
public:
    struct free_key {
        void operator()(evp_pkey_st* it) const noexcept;
    };
    using native_key = std::unique_ptr<evp_pkey_st, free_key>;

    jwk(std::optional<std::string> id, jwt_algorithm algorithm, native_key key)
        : id_(std::move(id)), algorithm_(algorithm), key_(std::move(key)) {}

    const std::optional<std::string>& id() const noexcept { return id_; }  // "kid"
    jwt_algorithm algorithm() const noexcept { return algorithm_; }
    bool same(const jwk& other) const noexcept;  // id, algorithm and key

    // Whether the signature, as a token carries it (RFC 7518, 3), is this key's of these bytes.
    bool verifies(std::string_view what, std::string_view signature) const noexcept;

    // Its issuer has taken it back: streams of its tokens end.
    bool retired() const noexcept { return retired_.load(std::memory_order_relaxed); }
    void retire() const noexcept { retired_.store(true, std::memory_order_relaxed); }

private:
    const std::optional<std::string> id_;
    const jwt_algorithm algorithm_;
    const native_key key_;
    mutable std::atomic<bool> retired_{false};
};
using jwk_ptr = std::shared_ptr<const jwk>;

inline constexpr std::size_t jwk_set_size_max = 256 * 1024;
inline constexpr std::size_t jwk_count_max = 100;
inline constexpr std::size_t jwk_id_size_max = 128;

// The keys of one issuer at a time. Immutable.
struct jwk_set {
    std::uint64_t version = 0;  // no other set of this process has it
    std::vector<jwk_ptr> keys;

    // By "kid" and algorithm. Without "kid": if exactly one key is for the algorithm. None: there
    // is no such key.
    jwk_ptr find(const std::optional<std::string>& id, jwt_algorithm algorithm) const;
    bool same(const jwk_set& other) const noexcept;  // all keys, in this order
};
using jwk_set_ptr = std::shared_ptr<const jwk_set>;

// Reads a JWK Set. Keys that can verify no token of ours are left out (RFC 7517, 5): of other
// types, curves and algorithms, those for encryption, RSA below 2,048 bits or with an exponent
// below 65537, points that are not on their curve, and keys with a secret part.
// errc::invalid_argument: it is no set, too large, has two keys of the same name and algorithm, or
// has keys of which none is left. A set that is empty is one: the issuer has taken all back.
result<jwk_set_ptr> parse_jwk_set(std::string_view text);

}  // namespace orderproc::server::auth

#endif
