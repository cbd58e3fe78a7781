// Which keys are taken from a JWK Set, and which sets are none.

#include "auth/jwk.hpp"

#include "jwt_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server::auth;
using namespace orderproc::server::testing;
using key_type = signing_key::type;

namespace {

struct key_sets {
    // How many keys are left of these and a good one; 0: it is no set.
    std::size_t taken_beside_a_good_one(const std::string& key) const {
        const auto got = parse_jwk_set(jwks({named(ed25519, "good"), key}));
        return got ? (*got)->keys.size() : 0;
    }
    std::string reason(const std::string& text) const {
        const auto got = parse_jwk_set(text);
        return got ? std::string() : got.error().detail;
    }

    const signing_key& es256 = signing_key::of(key_type::es256);
    const signing_key& ed25519 = signing_key::of(key_type::eddsa);
    const signing_key& rsa = signing_key::of(key_type::rs256);
};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    BOOST_REQUIRE(at != text.npos);
    return text.replace(at, what.size(), by);
}

// The value of a member of the key.
std::string member(const std::string& jwk, const std::string& name) {
    const std::string before = "\"" + name + "\":\"";
    const std::size_t at = jwk.find(before) + before.size();
    return jwk.substr(at, jwk.find('"', at) - at);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(json_web_keys, key_sets)

BOOST_AUTO_TEST_CASE(keys_of_three_types_are_taken) {
    const auto got = parse_jwk_set(jwks({named(es256, "a"), named(ed25519, "b"), named(rsa, "c")}));
    BOOST_REQUIRE(got.has_value());
    const jwk_set& set = **got;
    BOOST_REQUIRE(set.keys.size() == 3U);
    const std::pair<const char*, jwt_algorithm> expected[] = {
        {"a", jwt_algorithm::es256}, {"b", jwt_algorithm::eddsa}, {"c", jwt_algorithm::rs256}};
    for (std::size_t i = 0; i < 3; ++i) {
        BOOST_TEST(set.keys[i]->id().value_or("") == expected[i].first);
        BOOST_TEST((set.keys[i]->algorithm() == expected[i].second));
        BOOST_TEST((set.find(std::string(expected[i].first), expected[i].second) == set.keys[i]));
        BOOST_TEST((set.find(std::nullopt, expected[i].second) == set.keys[i]));
    }
    BOOST_TEST(!set.find("a", jwt_algorithm::rs256));
    BOOST_TEST(!set.find("d", jwt_algorithm::es256));
}

BOOST_AUTO_TEST_CASE(a_signature_is_of_its_key) {
    const signing_key other_es(key_type::es256), other_ed(key_type::eddsa),
        other_rsa(key_type::rs256);
    const std::pair<const signing_key*, const signing_key*> pairs[] = {
        {&es256, &other_es}, {&ed25519, &other_ed}, {&rsa, &other_rsa}};
    for (const auto& [key, other] : pairs) {
        const auto set = parse_jwk_set(jwks({key->jwk()})).value();
        const jwk& it = *set->keys.at(0);
        BOOST_TEST(it.verifies("text", key->sign("text")));
        BOOST_TEST(it.verifies("", key->sign("")));
        BOOST_TEST(!it.verifies("texT", key->sign("text")));
        BOOST_TEST(!it.verifies("text", other->sign("text")));
        BOOST_TEST(!it.verifies("text", ""));
    }
}

BOOST_AUTO_TEST_CASE(what_a_key_is_for_has_to_fit) {
    const std::string plain = es256.jwk();
    for (const char* more :
         {"", R"(,"use":"sig")", R"(,"alg":"ES256")", R"(,"key_ops":["verify"])",
          R"(,"key_ops":["sign","verify"])", R"(,"use":"sig","x5t":"x","ext":true)"}) {
        BOOST_TEST(taken_beside_a_good_one(plain + more) == 2U);
    }
    for (const char* more :
         {R"(,"use":"enc")", R"(,"use":1)", R"(,"alg":"ES384")", R"(,"alg":"RS256")",
          R"(,"alg":"HS256")", R"(,"alg":"none")", R"(,"alg":null)", R"(,"key_ops":["sign"])",
          R"(,"key_ops":[])", R"(,"key_ops":"verify")", R"(,"kid":1)", R"(,"kid":"")"}) {
        BOOST_TEST(taken_beside_a_good_one(plain + more) == 1U);
    }
    BOOST_TEST(taken_beside_a_good_one(rsa.jwk() + R"(,"alg":"RS256")") == 2U);
    for (const char* more : {R"(,"alg":"RS512")", R"(,"alg":"PS256")", R"(,"alg":"RSA-OAEP")"}) {
        BOOST_TEST(taken_beside_a_good_one(rsa.jwk() + more) == 1U);
    }
    const std::string long_name(jwk_id_size_max + 1, 'k');
    BOOST_TEST(taken_beside_a_good_one(named(es256, long_name)) == 1U);
    BOOST_TEST(taken_beside_a_good_one(named(es256, long_name.substr(1))) == 2U);
}

// Row 22 of the attacks.
BOOST_AUTO_TEST_CASE(weak_and_broken_keys_are_left_out) {
    const std::string rsa_jwk = rsa.jwk();
    BOOST_TEST(taken_beside_a_good_one(signing_key(key_type::rs256, 1024).jwk()) == 1U);
    const std::string e = R"("e":")" + member(rsa_jwk, "e") + "\"";
    BOOST_TEST(e == R"("e":"AQAB")");
    for (const char* exponent :
         {"Aw", "AQ", "", "AQAA", "AA", "____", "AQAAAAAAAAAB", "AQAB=", "AQ AB"}) {
        const bool odd_enough = std::string_view(exponent) == "____";
        BOOST_TEST(taken_beside_a_good_one(
                       replaced(rsa_jwk, e, R"("e":")" + std::string(exponent) + "\"")) ==
                   (odd_enough ? 2U : 1U));
    }
    const std::string even = from_base64url(member(rsa_jwk, "n")).value().substr(0, 255) + '\x02';
    BOOST_TEST(
        taken_beside_a_good_one(replaced(rsa_jwk, member(rsa_jwk, "n"), to_base64url(even))) == 1U);

    const std::string ec = es256.jwk();
    const std::string x = member(ec, "x");
    const std::string y = member(ec, "y");
    BOOST_TEST(taken_beside_a_good_one(ec) == 2U);
    std::string off = from_base64url(y).value();
    off.back() = static_cast<char>(off.back() ^ 1);
    const std::string zero = to_base64url(std::string(32, '\0'));
    BOOST_TEST(taken_beside_a_good_one(replaced(ec, y, to_base64url(off))) == 1U);
    BOOST_TEST(taken_beside_a_good_one(replaced(replaced(ec, y, zero), x, zero)) == 1U);
    BOOST_TEST(taken_beside_a_good_one(replaced(ec, y, "")) == 1U);
    BOOST_TEST(taken_beside_a_good_one(replaced(ec, y, y + "AA")) == 1U);
    BOOST_TEST(taken_beside_a_good_one(replaced(ec, y, to_base64url("\x04"))) == 1U);
    BOOST_TEST(taken_beside_a_good_one(replaced(ec, "P-256", "P-384")) == 1U);
    BOOST_TEST(taken_beside_a_good_one(replaced(ec, "P-256", "secp256k1")) == 1U);
    BOOST_TEST(taken_beside_a_good_one(signing_key::of(key_type::es384).jwk()) == 1U);
    BOOST_TEST(taken_beside_a_good_one(replaced(ed25519.jwk(), "Ed25519", "X25519")) == 1U);
    BOOST_TEST(taken_beside_a_good_one(replaced(ed25519.jwk(), "OKP", "EC")) == 1U);
    BOOST_TEST(taken_beside_a_good_one(R"("kty":"oct","k":"c2VjcmV0","alg":"HS256")") == 1U);
    BOOST_TEST(taken_beside_a_good_one(R"("kty":"RSA","k":"c2VjcmV0")") == 1U);
    BOOST_TEST(taken_beside_a_good_one("") == 1U);
    BOOST_TEST(taken_beside_a_good_one(R"("kty":1)") == 1U);
    // A secret that was published is anybody's.
    BOOST_TEST(taken_beside_a_good_one(ec + R"(,"d":"AA")") == 1U);
}

// Row 22, too.
BOOST_AUTO_TEST_CASE(a_set_that_is_none_is_refused) {
    const std::string good = jwks({named(es256, "a")});
    BOOST_TEST(reason(good).empty());
    for (const std::string& bad :
         {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
          std::string(R"({"keys":{}})"), std::string(R"({"keys":null})"), good.substr(1),
          good.substr(0, good.size() - 1), good + "x", "\xef\xbb\xbf" + good,
          std::string(R"({"keys":[],"keys":[]})"), "{" + named(es256, "a") + "}",
          std::string("<html>not found</html>")}) {
        BOOST_TEST(reason(bad).find("JWK Set") != std::string::npos, bad);
    }
    BOOST_TEST(reason(good + std::string(jwk_set_size_max, ' ')).find("256 KiB") !=
               std::string::npos);
    BOOST_TEST(reason(good + std::string(jwk_set_size_max - good.size(), ' ')).empty());
    const std::vector<std::string> most(jwk_count_max, R"("kty":"oct")");
    std::vector<std::string> many = most;
    many.back() = named(es256, "a");
    BOOST_TEST(reason(jwks(many)).empty());
    many.push_back(R"("kty":"oct")");
    BOOST_TEST(reason(jwks(many)).find("100") != std::string::npos);
    BOOST_TEST(reason(jwks(most)).find("none of the keys") != std::string::npos);
    BOOST_TEST(reason(jwks({named(es256, "a"), named(signing_key(key_type::es256), "a")}))
                   .find("same kid") != std::string::npos);
    // For other algorithms a name may stand twice (RFC 7517, 4.5).
    BOOST_TEST(reason(jwks({named(es256, "a"), named(rsa, "a")})).empty());
    BOOST_TEST(reason(R"({"keys":[]})").empty());  // all keys were taken back
    BOOST_TEST(parse_jwk_set(R"({"keys":[]})").value()->keys.empty());
}

BOOST_AUTO_TEST_CASE(sets_are_compared_by_their_keys) {
    const auto set = parse_jwk_set(jwks({named(es256, "a"), named(rsa, "b")})).value();
    const auto again = parse_jwk_set(R"({"x":1,"keys":[{)" + named(es256, "a") +
                                     R"(,"use":"sig"},{)" + named(rsa, "b") + "}]}")
                           .value();
    BOOST_TEST(set->same(*again));
    BOOST_TEST(set->version != again->version);
    for (const std::string& other :
         {jwks({named(es256, "a")}), jwks({named(es256, "a"), named(rsa, "c")}),
          jwks({named(es256, "a"), rsa.jwk()}),
          jwks({named(signing_key(key_type::es256), "a"), named(rsa, "b")})}) {
        BOOST_TEST(!set->same(*parse_jwk_set(other).value()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
