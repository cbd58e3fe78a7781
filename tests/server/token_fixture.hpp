#ifndef ORDERPROC_TESTS_SERVER_TOKEN_FIXTURE_HPP
#define ORDERPROC_TESTS_SERVER_TOKEN_FIXTURE_HPP

// Two issuers whose keys a test replaces, and a clock that it moves.

#include "auth/token_table.hpp"
#include "jwt_fixture.hpp"

#include <orderproc/observer.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server::testing {

struct token_fixture {
    token_fixture() { reset(); }

    // Begins anew with what the issuers' options are now.
    void reset() {
        sources.clear();
        std::vector<auth::token_table::trusted_issuer> all;
        for (const auth::jwt_issuer& it : issuers) {
            auth::jwk_source_options options;
            options.thread = false;
            options.read = [this](const auth::text_request& what, const std::stop_token&) {
                ++fetched;
                return published.at(what.location);
            };
            auto keys = std::make_unique<auth::jwk_source>(it.keys, std::move(options), with);
            (void)keys->start();
            sources.push_back(keys.get());
            all.push_back({it, std::move(keys)});
        }
        table = std::make_unique<auth::token_table>(std::move(all), with);
    }
    void publish(std::size_t issuer, const std::vector<std::string>& keys) {
        published[issuers.at(issuer).keys] = jwks(keys);
    }
    // The looks that are due.
    void look() {
        for (auth::jwk_source* it : sources) {
            if (it->due() <= clock.monotonic()) (void)it->look();
        }
    }

    std::int64_t now_s() {
        return std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch())
            .count();
    }
    // Of the first issuer, unless iss says otherwise; it lives for so many seconds.
    std::string token(const signing_key& by, std::string_view key_id = "a",
                      std::string_view iss = "https://one.example", std::int64_t life_s = 300,
                      std::string_view sub = "alice", std::string_view more = {}) {
        const std::string header = R"({"alg":")" + std::string(by.algorithm()) + R"(","kid":")" +
                                   std::string(key_id) + "\"}";
        const std::string claims =
            R"({"iss":")" + std::string(iss) + R"(","sub":")" + std::string(sub) +
            R"(","aud":"orderproc","exp":)" + std::to_string(now_s() + life_s) +
            R"(,"scope":"orders:read orders:write metrics")" + std::string(more) + "}";
        return sign_token(by, header, claims);
    }

    static auth::jwt_issuer issuer(std::string host) {
        auth::jwt_issuer out;
        out.issuer = "https://" + host;
        out.name = host;
        out.audience = "orderproc";
        out.keys = out.issuer + "/keys";
        return out;
    }

    const signing_key& es256 = signing_key::of(signing_key::type::es256);
    const signing_key& ed25519 = signing_key::of(signing_key::type::eddsa);
    const signing_key& rsa = signing_key::of(signing_key::type::rs256);
    orderproc::testing::manual_clock clock;
    orderproc::testing::seeded_random random;
    observer nobody;
    runtime with{clock, random, nobody};
    std::vector<auth::jwt_issuer> issuers{issuer("one.example"), issuer("two.example")};
    std::map<std::string, result<std::string>> published{
        {"https://one.example/keys", jwks({named(es256, "a")})},
        {"https://two.example/keys", jwks({named(ed25519, "b")})}};
    int fetched = 0;
    std::vector<auth::jwk_source*> sources;
    std::unique_ptr<auth::token_table> table;
};

}  // namespace orderproc::server::testing

#endif
