#ifndef ORDERPROC_SERVER_AUTH_TOKEN_TABLE_HPP
#define ORDERPROC_SERVER_AUTH_TOKEN_TABLE_HPP

// Who the tokens of known issuers are of.

#include "auth/jwk_source.hpp"
#include "auth/jwt.hpp"
#include "auth/jwt_issuer.hpp"
#include "auth/token_verifier.hpp"

#include <orderproc/runtime.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace orderproc::server::auth {

// SHA-256 (FIPS 180-4) of a whole token.
using token_digest = std::array<std::uint8_t, 32>;

// Keeps the tokens that have counted, so that most requests cost a digest and no signature: the
// 10,000 that were used last. Safe to use from any thread.
class token_table final : public token_verifier {
public:
    static constexpr std::size_t tokens_max = 10'000;
    // Then a token is verified anew; at once, if the keys of its issuer have changed.
    static constexpr std::chrono::seconds verified_for{60};

    struct trusted_issuer {
        jwt_issuer who;
        std::unique_ptr<jwk_source> keys;
    };
    // REQUIRES: complete() is content with the issuers. The runtime outlives the table.
    token_table(std::vector<trusted_issuer> issuers, runtime with);

    principal_ptr recall(std::string_view token) override;
    token_verdict judge(std::string_view token) override;

    std::size_t kept() const;                                      // tokens
    std::uint64_t verified() const noexcept { return verified_; }  // so many times

private:
    struct entry {
        token_digest token;
        const trusted_issuer* issuer = nullptr;
        std::uint64_t keys = 0;  // the version of the set
        clock::instant verified_at{};
        timestamp expires_at{};
        principal_ptr who;
    };
    struct digest_hash {
        std::size_t operator()(const token_digest& it) const noexcept;
    };
    using entries = std::list<entry>;  // the one that was used last is the first

    token_verdict judge(std::string_view token, const token_digest& digest);
    bool still_counts(const entry& it) const;
    void keep(entry what);
    void forget(const token_digest& token);

    const std::vector<trusted_issuer> issuers_;
    const runtime with_;
    std::atomic<std::uint64_t> verified_{0};
    mutable std::mutex mutex_;
    entries kept_;
    std::unordered_map<token_digest, entries::iterator, digest_hash> by_token_;
};

}  // namespace orderproc::server::auth

#endif
