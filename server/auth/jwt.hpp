#ifndef ORDERPROC_SERVER_AUTH_JWT_HPP
#define ORDERPROC_SERVER_AUTH_JWT_HPP

// JSON Web Tokens (RFC 7519, with the advice of RFC 8725): verified, never made.

#include "auth/jwk.hpp"
#include "auth/jwt_issuer.hpp"
#include "auth/scope.hpp"

#include <orderproc/timestamp.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderproc::server::auth {

inline constexpr std::size_t jwt_size_max = 8 * 1024;
inline constexpr std::chrono::seconds jwt_skew{30};  // of the clocks of issuers and of ours
inline constexpr std::chrono::hours jwt_life_max{24};
inline constexpr std::size_t jwt_subject_size_max = 255;

// Why a token does not count. For the log alone: a client is not told.
enum class jwt_fault : std::uint8_t {
    none,
    malformed,  // it is no token, or one with a header that we do not take
    algorithm,  // not one of its issuer's
    issuer,     // nobody whom we know
    key,        // its issuer has no such key
    signature,  // somebody else's
    no_expiry,  // "exp" is not there, or too far away
    expired,    // "exp"
    not_yet,    // "nbf" or "iat" is ahead of our clock
    audience,   // it is for somebody else
    subject,    // "sub" is not there
    binding,    // the claim of the user or tenant is not there, or none
};
std::string_view name_of(jwt_fault it) noexcept;  // "no_expiry"

// A token that was taken apart, and of which nothing is believed yet.
struct jwt {
    std::string_view signed_part;  // the bytes as they came; views the text
    std::string signature;
    std::string algorithm;              // "alg"
    std::optional<std::string> key_id;  // "kid"
    boost::json::object claims;

    std::string_view issuer() const noexcept;  // "iss"; empty: it is not there
};
// None: it is larger than jwt_size_max, not three parts of base64url (RFC 7515, 7.1), header or
// claims are not JSON objects as parse_strictly() takes them, or the header has "crit", "b64", or
// another "typ" than those of access tokens (RFC 9068, 2.1). "jku", "jwk", "x5u" and "x5c" mean
// nothing.
std::optional<jwt> parse_jwt(std::string_view text);

// Who a token is of, once it was found to be its issuer's.
struct jwt_identity {
    std::string subject;  // "sub"
    scope_set scopes;     // those that have the names of ours
    std::optional<std::string> user;
    std::optional<std::string> tenant;
    timestamp expires_at{};  // "exp"
    jwk_ptr key;             // that has verified it
};

// REQUIRES: it.issuer() == by.issuer. to is meaningful if there is no fault.
jwt_fault verify_jwt(const jwt& it, const jwt_issuer& by, const jwk_set& keys, timestamp now,
                     jwt_identity& to);

// "jwt:id.example:alice": what the journal calls this subject of that issuer, and what its
// idempotency keys and limits belong to. Injective: what is not printable ASCII, and "%", is
// percent-encoded. Empty: that would be too long.
std::string principal_name(std::string_view issuer_name, std::string_view subject);

}  // namespace orderproc::server::auth

#endif
