#ifndef ORDERPROC_SERVER_AUTH_JWT_ISSUER_HPP
#define ORDERPROC_SERVER_AUTH_JWT_ISSUER_HPP

// Whose tokens are believed, and what is read from them.

#include "auth/jwk.hpp"

#include <orderproc/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::auth {

inline constexpr std::size_t jwt_issuers_max = 16;

struct jwt_issuer {
    std::string issuer;    // "iss", to the letter
    std::string name;      // of its principals; empty: the host of the issuer, if that is a URL
    std::string audience;  // what "aud" has to contain
    std::string keys;      // file:/PATH or https://HOST/PATH
    std::vector<std::string> algorithms{"ES256", "EdDSA", "RS256"};
    std::string scope_claim = "scope";
    // Whose value a principal is bound to; empty: it is bound to nobody.
    std::string user_claim;
    std::string tenant_claim;
    bool allow_private = false;  // keys may come from an address that is not public

    bool takes(jwt_algorithm it) const noexcept;
};

// Fills in the names and checks all of it. errc::invalid_argument, saying which issuer and member.
result<void> complete(std::vector<jwt_issuer>& all);

// A JSON array of objects, whose members are those of jwt_issuer. errc::invalid_argument: it is
// none, or has a member that is unknown or of another type. What complete() checks is not checked.
result<std::vector<jwt_issuer>> parse_jwt_issuers(std::string_view text);

}  // namespace orderproc::server::auth

#endif
