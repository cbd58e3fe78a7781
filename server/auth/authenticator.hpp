#ifndef ORDERPROC_SERVER_AUTH_AUTHENTICATOR_HPP
#define ORDERPROC_SERVER_AUTH_AUTHENTICATOR_HPP

// From a request's header to who it is from.

#include "auth/key_table.hpp"
#include "auth/principal.hpp"
#include "auth/problems.hpp"
#include "auth/token_verifier.hpp"
#include "http/client_address.hpp"
#include "http/message.hpp"
#include "http/rate_limiter.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

namespace orderproc::server::auth {

// A credential that does not count. For the log alone.
struct refused_credential {
    std::string_view reason;    // "wrong_secret"
    std::string_view key_id{};  // empty: it is no key, or has none
    std::string_view issuer{};  // the name of a token's; empty: it is no token, or nobody's
    std::string_view request_id{};
};

struct authenticator_options {
    http::address_ranges trusted_proxies;  // see http::client_of()
    // While there is no key, nobody is asked, wherever they come from.
    bool everybody_may = false;
    // Who knows the tokens that are no keys; outlives the authenticator. None: nobody does. If
    // there is one, everybody needs a credential.
    token_verifier* tokens = nullptr;
    // Called from any thread, must not throw. None: nobody is told.
    std::function<void(const refused_credential&)> refused;
};

// Safe to use from any thread.
class authenticator {
public:
    // Failures of one address that are answered with 401; beyond it 429.
    static constexpr http::rate failures{10, 50};

    // keys: none if the storage has no records, and so no keys. It outlives this. seed: see
    // http::rate_limiter.
    authenticator(const key_table* keys, authenticator_options options, std::uint64_t seed);

    struct verdict {
        principal_ptr who;  // always there; nobody() if no credential counts
        // What to answer where a scope is needed that nobody() has not.
        const http::problem_kind* refusal = &problems::unauthenticated;
        bool invalid = false;           // there is a credential, and it does not count
        std::uint32_t retry_after = 0;  // seconds; of 429 and 503
    };
    // Takes Authorization: Bearer and nothing else. A key that counts never waits for others'
    // failures, nor does a token that has counted before. A token's signature is looked at only if
    // its address has failures left. Does not throw.
    verdict judge(const http::request& in) noexcept;

    // Requests that were judged: with a credential that counts, with one that does not, and
    // without. Not those that could not be judged, because the keys could not be read.
    struct totals {
        std::atomic<std::uint64_t> accepted{0}, refused{0}, none{0};
    };
    const totals& judged() const noexcept { return judged_; }

private:
    verdict judge_credential(const http::request& in) noexcept;
    verdict judge_bearer(const http::request& in, std::string_view token) noexcept;
    verdict judge_token(const http::request& in, std::string_view token);
    verdict refuse(const http::request& in, refused_credential what) noexcept;
    http::address_bytes network_of(const http::request& in) const noexcept;
    bool may_be_anonymous(const http::request& in) const noexcept;
    bool keys_exist() const noexcept;

    const key_table* const keys_;
    const authenticator_options options_;
    http::rate_limiter failures_;
    totals judged_;
};

// Whether the query has a credential in it, which belongs into no URL: a key, a token, or a
// parameter that is named as one.
bool has_credential(std::string_view query) noexcept;

}  // namespace orderproc::server::auth

#endif
