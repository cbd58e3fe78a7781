#ifndef ORDERPROC_SERVER_AUTH_TOKEN_VERIFIER_HPP
#define ORDERPROC_SERVER_AUTH_TOKEN_VERIFIER_HPP

// Bearer tokens that are no API keys: what the authenticator needs of those who know them.

#include "auth/principal.hpp"

#include <string_view>

namespace orderproc::server::auth {

struct token_verdict {
    principal_ptr who;        // none: the token does not count…
    std::string_view reason;  // …and why, for the log alone: "expired"
    std::string_view issuer;  // the name of whose token it would be; empty: nobody's
    bool unknowable = false;  // it does not count yet: its key is not there now
};

// Safe to use from any thread. Nothing blocks. May throw std::bad_alloc.
class token_verifier {
public:
    virtual ~token_verifier() = default;
    // Of a token that has counted before and still does; else none. Costs a digest, and now and
    // then a signature.
    virtual principal_ptr recall(std::string_view token) = 0;
    // Costs a signature if all else of the token is right.
    virtual token_verdict judge(std::string_view token) = 0;
};

}  // namespace orderproc::server::auth

#endif
