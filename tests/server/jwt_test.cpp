// What a token has to be, rule by rule. Keys and signatures are real.

#include "auth/jwt.hpp"

#include "jwt_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::auth;
using namespace orderproc::server::testing;
using key_type = signing_key::type;

namespace {

constexpr std::int64_t now_s = 1'781'481'600;

// Claims of a good token, with members put in the place of others, or left out: "aud" alone.
std::string claims(std::vector<std::pair<std::string, std::string>> changes = {}) {
    std::vector<std::pair<std::string, std::string>> all{
        {"iss", R"("https://id.example")"}, {"sub", R"("alice")"},
        {"aud", R"("orderproc")"},          {"exp", std::to_string(now_s + 300)},
        {"iat", std::to_string(now_s)},     {"scope", R"("orders:read orders:write")"},
    };
    for (auto& [name, value] : changes) {
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&, &n = name](const auto& it) { return it.first == n; });
        if (found != all.end()) all.erase(found);
        if (!value.empty()) all.emplace_back(name, value);
    }
    std::string out = "{";
    for (const auto& [name, value] : all) {
        if (out.size() > 1) out += ",";
        out += "\"" + name + "\":" + value;
    }
    return out + "}";
}

std::string header(std::string_view algorithm, std::string_view more = {}) {
    return R"({"alg":")" + std::string(algorithm) + R"(","kid":"k1","typ":"at+jwt")" +
           std::string(more) + "}";
}

struct tokens {
    tokens() {
        issuer.issuer = "https://id.example";
        issuer.name = "id.example";
        issuer.audience = "orderproc";
    }

    jwt_fault verify(const std::string& token) {
        const auto parsed = parse_jwt(token);
        if (!parsed) return jwt_fault::malformed;
        if (parsed->issuer() != issuer.issuer) return jwt_fault::issuer;
        found = {};
        return verify_jwt(*parsed, issuer, *set, timestamp(std::chrono::seconds(now_s)), found);
    }
    jwt_fault verify_claims(const std::string& text) {
        return verify(sign_token(es256, header("ES256"), text));
    }
    jwt_fault verify_header(const std::string& text) {
        return verify(sign_token(es256, text, claims()));
    }

    const signing_key& es256 = signing_key::of(key_type::es256);
    jwt_issuer issuer;
    jwk_set_ptr set = parse_jwk_set(jwks({named(es256, "k1")})).value();
    jwt_identity found;
};

}  // namespace

namespace orderproc::server::auth {
std::ostream& boost_test_print_type(std::ostream& to, jwt_fault it) {
    return to << name_of(it);
}
}  // namespace orderproc::server::auth

BOOST_FIXTURE_TEST_SUITE(json_web_tokens, tokens)

BOOST_AUTO_TEST_CASE(a_token_of_each_algorithm_counts) {
    for (const key_type type : {key_type::es256, key_type::eddsa, key_type::rs256}) {
        const signing_key& key = signing_key::of(type);
        set = parse_jwk_set(jwks({named(key, "k1")})).value();
        BOOST_TEST_REQUIRE(set->keys.size() == 1U);
        const std::string token = sign_token(key, header(key.algorithm()), claims());
        BOOST_TEST(verify(token) == jwt_fault::none);
        BOOST_TEST(found.subject == "alice");
        BOOST_TEST((found.scopes == scope_set{scope::orders_read, scope::orders_write}));
        BOOST_TEST((found.expires_at == timestamp(std::chrono::seconds(now_s + 300))));
        BOOST_TEST((found.key == set->keys[0]));
        BOOST_TEST(!found.user);
        BOOST_TEST(!found.tenant);
    }
}

// Row 12 of the attacks.
BOOST_AUTO_TEST_CASE(no_algorithm_is_none) {
    for (const char* text : {R"({"alg":"none","kid":"k1"})", R"({"alg":"None","kid":"k1"})",
                             R"({"alg":"nOnE","kid":"k1"})", R"({"alg":"","kid":"k1"})",
                             R"({"alg":"es256","kid":"k1"})", R"({"alg":"HS256","kid":"k1"})"}) {
        BOOST_TEST(verify_header(text) == jwt_fault::algorithm);
        const std::string bare = unsigned_token(text, claims()) + ".";
        BOOST_TEST(verify(bare) == jwt_fault::algorithm);
    }
    for (const char* text : {R"({"kid":"k1"})", R"({"alg":["ES256"],"kid":"k1"})",
                             R"({"alg":1,"kid":"k1"})", R"({"alg":null,"kid":"k1"})"}) {
        BOOST_TEST(verify_header(text) == jwt_fault::malformed);
    }
}

// Row 13 of the attacks.
BOOST_AUTO_TEST_CASE(a_public_key_is_no_shared_secret) {
    const signing_key& rsa = signing_key::of(key_type::rs256);
    const std::string jwk = "{" + named(rsa, "k1") + "}";
    set = parse_jwk_set(jwks({named(rsa, "k1")})).value();
    for (const std::string& secret : {rsa.public_pem(), rsa.public_der(), jwk}) {
        for (const char* algorithm : {"HS256", "RS256"}) {
            const std::string text = unsigned_token(header(algorithm), claims());
            const std::string token = text + "." + to_base64url(hmac_sha256(secret, text));
            BOOST_TEST(verify(token) != jwt_fault::none);
        }
    }
}

// Row 14 of the attacks: a key is for one algorithm, whatever a token says.
BOOST_AUTO_TEST_CASE(a_key_is_used_for_its_own_algorithm) {
    const signing_key& rsa = signing_key::of(key_type::rs256);
    for (const signing_key* key : {&rsa, &es256, &signing_key::of(key_type::eddsa)}) {
        set = parse_jwk_set(jwks({named(*key, "k1")})).value();
        for (const char* said : {"PS256", "RS256", "ES256", "EdDSA", "RS512", "ES384"}) {
            const jwt_fault got = verify(sign_token(*key, header(said), claims()));
            BOOST_TEST((got == jwt_fault::none) == (said == key->algorithm()));
        }
    }
    const signing_key& p384 = signing_key::of(key_type::es384);
    set = parse_jwk_set(jwks({named(es256, "k1"), named(p384, "k2")})).value();
    BOOST_TEST(set->keys.size() == 1U);
    BOOST_TEST(verify(sign_token(p384, header("ES256"), claims())) == jwt_fault::signature);
}

BOOST_AUTO_TEST_CASE(the_issuer_says_which_algorithms_there_are) {
    issuer.algorithms = {"EdDSA", "RS256"};
    BOOST_TEST(verify_claims(claims()) == jwt_fault::algorithm);
    issuer.algorithms = {"ES256"};
    BOOST_TEST(verify_claims(claims()) == jwt_fault::none);
}

// Row 15 of the attacks.
BOOST_AUTO_TEST_CASE(a_kid_is_a_name_and_nothing_else) {
    const auto with_kid = [](const std::string& json) {
        return R"({"alg":"ES256","kid":)" + json + "}";
    };
    BOOST_TEST(verify_header(with_kid(R"("k1")")) == jwt_fault::none);
    BOOST_TEST(verify_header(with_kid(R"("\u006b1")")) == jwt_fault::none);
    for (const char* other :
         {R"("k2")", R"("K1")", R"("k1 ")", R"("k1\u0000")", R"("../../dev/null")",
          R"("/dev/null")", R"("' OR 1=1")", R"("https://id.example/key")"}) {
        BOOST_TEST(verify_header(with_kid(other)) == jwt_fault::key);
    }
    const std::string long_one(jwk_id_size_max + 1, 'k');
    for (const std::string& bad : {std::string("1"), std::string("null"), std::string(R"(["k1"])"),
                                   std::string(R"("")"), "\"" + long_one + "\""}) {
        BOOST_TEST(verify_header(with_kid(bad)) == jwt_fault::malformed);
    }
}

BOOST_AUTO_TEST_CASE(without_a_kid_there_has_to_be_one_key_that_fits) {
    const std::string plain = R"({"alg":"ES256"})";
    BOOST_TEST(verify_header(plain) == jwt_fault::none);
    const signing_key second(key_type::es256);
    set = parse_jwk_set(jwks({named(es256, "k1"), named(second, "k2")})).value();
    BOOST_TEST(verify_header(plain) == jwt_fault::key);
    // Keys for other algorithms are no doubt.
    const signing_key& rsa = signing_key::of(key_type::rs256);
    set = parse_jwk_set(jwks({named(es256, "k1"), named(rsa, "k2")})).value();
    BOOST_TEST(verify_header(plain) == jwt_fault::none);
    set = parse_jwk_set(jwks({es256.jwk()})).value();  // nor has it to have a name
    BOOST_TEST(verify_header(plain) == jwt_fault::none);
    BOOST_TEST(verify_claims(claims()) == jwt_fault::key);
}

// Row 16 of the attacks; that nothing is fetched is seen in token_table_test.
BOOST_AUTO_TEST_CASE(keys_that_a_token_brings_mean_nothing) {
    const signing_key mine(key_type::es256);
    for (const std::string& more :
         {R"(,"jwk":{)" + mine.jwk() + "}", std::string(R"(,"jku":"https://evil.example/keys")"),
          std::string(R"(,"x5u":"https://evil.example/cert")"),
          std::string(R"(,"x5c":["MIIB"])")}) {
        BOOST_TEST(verify(sign_token(mine, header("ES256", more), claims())) ==
                   jwt_fault::signature);
        BOOST_TEST(verify(sign_token(es256, header("ES256", more), claims())) == jwt_fault::none);
    }
}

// Row 17 of the attacks.
BOOST_AUTO_TEST_CASE(extensions_and_other_forms_are_refused) {
    for (const char* more :
         {R"(,"crit":["exp"])", R"(,"crit":[])", R"(,"crit":["b64"],"b64":false)",
          R"(,"b64":false)", R"(,"b64":true)"}) {
        BOOST_TEST(verify_header(header("ES256", more)) == jwt_fault::malformed);
    }
    const std::string good = sign_token(es256, header("ES256"), claims());
    BOOST_TEST(verify(good) == jwt_fault::none);
    const std::string two = good.substr(0, good.rfind('.'));
    for (const std::string& bad : {two, "." + two, two + ".", good + ".", good + "..", "." + good,
                                   good + "." + good, std::string("."), std::string(".."),
                                   std::string("..."), std::string(), std::string("....")}) {
        BOOST_TEST(verify(bad) != jwt_fault::none);
    }
    const std::string nested = to_base64url(R"({"alg":"dir","enc":"A128GCM","cty":"JWT"})");
    BOOST_TEST(verify(nested + "..AAAA.AAAA.AAAA") == jwt_fault::malformed);
    const std::string inner = sign_token(es256, R"({"alg":"ES256","cty":"JWT"})", good);
    BOOST_TEST(verify(inner) == jwt_fault::malformed);
}

BOOST_AUTO_TEST_CASE(a_token_of_another_type_is_refused) {
    for (const char* good : {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"}) {
        BOOST_TEST(verify_header(R"({"alg":"ES256","typ":")" + std::string(good) + "\"}") ==
                   jwt_fault::none);
    }
    for (const char* bad : {R"("logout+jwt")", R"("secevent+jwt")", R"("dpop+jwt")", R"("")", "1",
                            R"(["JWT"])", R"("JWE")"}) {
        BOOST_TEST(verify_header(R"({"alg":"ES256","typ":)" + std::string(bad) + "}") ==
                   jwt_fault::malformed);
    }
}

// Row 18 of the attacks.
BOOST_AUTO_TEST_CASE(a_signature_has_its_exact_form) {
    const std::string text = unsigned_token(header("ES256"), claims());
    const std::string good = es256.sign(text);
    const auto with = [&](const std::string& signature) {
        return verify(text + "." + to_base64url(signature));
    };
    BOOST_TEST(with(good) == jwt_fault::none);
    const std::string zero(32, '\0');
    const std::string order = from_base64url("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE").value();
    BOOST_TEST_REQUIRE(order.size() == 32U);
    const std::string r = good.substr(0, 32);
    const std::string s = good.substr(32);
    const std::string most(32, '\xff');
    for (const std::string& bad :
         {zero + zero, zero + s, r + zero, order + s, r + order, most + s, r + most,
          signing_key::der_of(good), good.substr(0, 63), good + '\0', '\0' + good, r, std::string(),
          s + r, std::string(64, '\x01')}) {
        BOOST_TEST(with(bad) == jwt_fault::signature);
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string changed = good;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        BOOST_TEST(with(changed) == jwt_fault::signature);
    }
    for (const key_type type : {key_type::eddsa, key_type::rs256}) {
        const signing_key& key = signing_key::of(type);
        set = parse_jwk_set(jwks({named(key, "k1")})).value();
        const std::string what = unsigned_token(header(key.algorithm()), claims());
        const std::string right = key.sign(what);
        BOOST_TEST(verify(what + "." + to_base64url(right)) == jwt_fault::none);
        for (const std::string& bad :
             {right.substr(1), right.substr(0, right.size() - 1), right + '\0', '\0' + right,
              std::string(right.size(), '\0'), std::string(right.size(), '\xff'), std::string()}) {
            BOOST_TEST(verify(what + "." + to_base64url(bad)) == jwt_fault::signature);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_changed_byte_of_a_token_is_noticed) {
    const std::string good = sign_token(es256, header("ES256"), claims());
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string changed = good;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(verify(changed) != jwt_fault::none);
    }
}

// Row 19 of the attacks.
BOOST_AUTO_TEST_CASE(times_are_judged_with_half_a_minute_of_doubt) {
    const auto at = [](std::int64_t seconds) { return std::to_string(now_s + seconds); };
    BOOST_TEST(verify_claims(claims({{"exp", at(-29)}, {"iat", at(-60)}})) == jwt_fault::none);
    BOOST_TEST(verify_claims(claims({{"exp", at(-30)}, {"iat", at(-60)}})) == jwt_fault::expired);
    BOOST_TEST(verify_claims(claims({{"exp", at(-31)}, {"iat", at(-60)}})) == jwt_fault::expired);
    BOOST_TEST(verify_claims(claims({{"exp", "0"}})) == jwt_fault::expired);
    for (const char* name : {"nbf", "iat"}) {
        BOOST_TEST(verify_claims(claims({{name, at(29)}})) == jwt_fault::none);
        BOOST_TEST(verify_claims(claims({{name, at(30)}})) == jwt_fault::none);
        BOOST_TEST(verify_claims(claims({{name, at(31)}})) == jwt_fault::not_yet);
    }
    BOOST_TEST(verify_claims(claims({{"exp", ""}})) == jwt_fault::no_expiry);
    BOOST_TEST(verify_claims(claims({{"iat", ""}})) == jwt_fault::none);
    constexpr std::int64_t day = 24 * 60 * 60;
    BOOST_TEST(verify_claims(claims({{"exp", at(day)}})) == jwt_fault::none);
    BOOST_TEST(verify_claims(claims({{"exp", at(day + 1)}})) == jwt_fault::no_expiry);
    BOOST_TEST(verify_claims(claims({{"exp", at(day + 1)}, {"iat", at(1)}})) == jwt_fault::none);
    BOOST_TEST(verify_claims(claims({{"exp", at(3650 * day)}})) == jwt_fault::no_expiry);
    BOOST_TEST(verify_claims(claims({{"exp", at(3650 * day)}, {"iat", ""}})) ==
               jwt_fault::no_expiry);
}

// Row 19, too.
BOOST_AUTO_TEST_CASE(a_time_is_a_number_that_is_exact) {
    for (const char* name : {"exp", "nbf", "iat"}) {
        for (const std::string& bad :
             {"\"" + std::to_string(now_s + 9) + "\"", std::string("-1"), std::string("-0.5"),
              std::string("1e400"), std::string("9223372036854775808"),
              std::string("18446744073709551616"), std::string("9007199254740992"),
              std::string("9007199254740992.0"), std::string("null"), std::string("true"),
              std::string("[1]"), std::string("{}"), std::string("NaN")}) {
            const jwt_fault got = verify_claims(claims({{name, bad}}));
            BOOST_TEST(got == jwt_fault::malformed, name << " " << bad << ": " << name_of(got));
        }
    }
    BOOST_TEST(verify_claims(claims({{"exp", std::to_string(now_s) + ".5"}})) == jwt_fault::none);
    BOOST_TEST((found.expires_at ==
                timestamp(std::chrono::seconds(now_s) + std::chrono::milliseconds(500))));
    BOOST_TEST(verify_claims(claims({{"exp", "1.7814816005e9"}})) == jwt_fault::none);
    BOOST_TEST(verify_claims(claims({{"exp", "9007199254740991"}})) == jwt_fault::no_expiry);
}

// Row 20 of the attacks.
BOOST_AUTO_TEST_CASE(a_token_is_for_us_and_of_its_issuer) {
    for (const char* good : {R"("orderproc")", R"(["orderproc"])", R"(["other","orderproc"])"}) {
        BOOST_TEST(verify_claims(claims({{"aud", good}})) == jwt_fault::none);
    }
    for (const char* bad :
         {"", R"("other")", R"("order")", R"("orderproc2")", R"("Orderproc")", R"("orderproc ")",
          R"("")", "[]", R"(["other"])", R"([["orderproc"]])", R"(["orderproc",1])", "1", "null",
          R"({"orderproc":true})", R"("other orderproc")"}) {
        BOOST_TEST(verify_claims(claims({{"aud", bad}})) == jwt_fault::audience);
    }
    for (const char* bad : {"", R"("https://id.example/")", R"("https://ID.example")",
                            R"("https://id.example\u0000")", R"(["https://id.example"])", "null"}) {
        BOOST_TEST(verify_claims(claims({{"iss", bad}})) == jwt_fault::issuer);
    }
}

// Row 21 of the attacks.
BOOST_AUTO_TEST_CASE(no_two_readers_see_two_tokens) {
    const std::string good = claims();
    const std::string open = good.substr(0, good.size() - 1);
    const std::string bom = "\xef\xbb\xbf";
    const std::string deep = std::string(32, '[') + std::string(32, ']');
    std::string wide;  // UTF-16
    for (const char c : good) wide.append({c, '\0'});
    for (const std::string& bad :
         {open + R"(,"sub":"bob"})", open + R"(,"s\u0075b":"bob"})", open + R"(,"sub":"alice"})",
          open + R"(,"x":{"a":1,"a":1}})", open + R"(,"x":[[{"a":1,"b":2,"a":1}]]})", bom + good,
          wide, open + R"(,"x":)" + deep + "}", good + good, good + "x", "[" + good + "]",
          open + ",}", open + R"(,"x":"\ud800"})", open + ",\"x\":\"\xff\"}", open + ",'x':1}",
          open + "/**/}", std::string("null"), std::string("\"a\""), std::string()}) {
        BOOST_TEST(verify_claims(bad) == jwt_fault::malformed);
    }
    BOOST_TEST(verify_claims(open + R"(,"x":)" + deep.substr(1, 62) + "}") == jwt_fault::none);
    BOOST_TEST(verify_claims(open + R"(,"x":{"sub":"bob"}})") == jwt_fault::none);
    for (const char* bad :
         {R"({"alg":"ES256","alg":"ES256"})", R"({"alg":"ES256","kid":"k1","kid":"k1"})",
          R"({"alg":"none","\u0061lg":"ES256"})"}) {
        BOOST_TEST(verify_header(bad) == jwt_fault::malformed);
    }
}

// Row 21, too.
BOOST_AUTO_TEST_CASE(base64url_is_read_strictly) {
    const std::string good = sign_token(es256, header("ES256"), claims());
    const std::size_t first = good.find('.');
    const std::size_t second = good.rfind('.');
    for (const std::size_t end : {first, second, good.size()}) {
        for (const char* more : {"=", "==", " ", "\n", "+", "/", "%", "A"}) {
            std::string changed = good;
            changed.insert(end, more);
            const jwt_fault got = verify(changed);
            // A signature that is longer is one of base64url, and no signature.
            const bool longer = end == good.size() && *more == 'A';
            BOOST_TEST(got == (longer ? jwt_fault::signature : jwt_fault::malformed));
        }
    }
    for (const char* before : {" ", "\t", "\n"})
        BOOST_TEST(verify(before + good) == jwt_fault::malformed);
    // The same bytes with stray last bits: 64 bytes leave four of them.
    std::string stray = good;
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    stray.back() = alphabet[alphabet.find(stray.back()) + 1];
    BOOST_TEST(verify(stray) == jwt_fault::malformed);
    const std::string padded = claims({{"x", "\"" + std::string(jwt_size_max, 'x') + "\""}});
    BOOST_TEST(verify_claims(padded) == jwt_fault::malformed);
}

BOOST_AUTO_TEST_CASE(a_token_has_a_subject) {
    for (const char* bad : {"", R"("")", "1", "null", R"(["alice"])"}) {
        BOOST_TEST(verify_claims(claims({{"sub", bad}})) == jwt_fault::subject);
    }
    const std::string longest = "\"" + std::string(200, 's') + "\"";
    BOOST_TEST(verify_claims(claims({{"sub", longest}})) == jwt_fault::none);
    const std::string too_long = "\"" + std::string(256, 's') + "\"";
    BOOST_TEST(verify_claims(claims({{"sub", too_long}})) == jwt_fault::subject);
    const std::string escaped = "\"" + std::string(100, '%') + "\"";
    BOOST_TEST(verify_claims(claims({{"sub", escaped}})) == jwt_fault::subject);
}

BOOST_AUTO_TEST_CASE(names_of_principals_are_never_the_same_for_two) {
    BOOST_TEST(principal_name("id.example", "alice") == "jwt:id.example:alice");
    BOOST_TEST(principal_name("id", "auth0|5f7c:x/y@z") == "jwt:id:auth0|5f7c:x/y@z");
    BOOST_TEST(principal_name("id", "a b") == "jwt:id:a%20b");
    BOOST_TEST(principal_name("id", "a%20b") == "jwt:id:a%2520b");
    BOOST_TEST(principal_name("id", std::string("a\0b", 3)) == "jwt:id:a%00b");
    BOOST_TEST(principal_name("id", "a\n\x7f\xc3\xa4") == "jwt:id:a%0A%7F%C3%A4");
    BOOST_TEST(principal_name("id", std::string(300, 'x')).empty());
}

BOOST_AUTO_TEST_CASE(scopes_have_the_names_of_ours) {
    const auto scopes = [&](const char* json) {
        BOOST_TEST_REQUIRE(verify_claims(claims({{issuer.scope_claim, json}})) == jwt_fault::none);
        return to_string(found.scopes);
    };
    BOOST_TEST(scopes(R"("openid orders:read  metrics profile")") == "orders:read metrics");
    BOOST_TEST(scopes(R"(["orders:write","openid",1,"erase"])") == "orders:write erase");
    for (const char* none : {"", R"("")", R"("ORDERS:READ orders orders:* orders:read,erase")", "1",
                             "null", "{}", R"(["orders:read erase"])", R"("orders:read\terase")"}) {
        BOOST_TEST(scopes(none) == "");
    }
    issuer.scope_claim = "scp";
    BOOST_TEST(scopes(R"(["orders:read"])") == "orders:read");
    BOOST_TEST(scopes("") == "");  // that of the other claim does not count
}

BOOST_AUTO_TEST_CASE(a_bound_token_is_never_unbound) {
    issuer.user_claim = "uid";
    for (const auto& [json, user] :
         {std::pair{R"("42")", "42"}, std::pair{"42", "42"}, std::pair{R"("a b")", "a b"},
          std::pair{"18446744073709551615", "18446744073709551615"}}) {
        BOOST_TEST(verify_claims(claims({{"uid", json}})) == jwt_fault::none);
        BOOST_TEST(found.user.value_or("") == user);
        BOOST_TEST(!found.tenant);
    }
    const std::string too_long = "\"" + std::string(257, 'u') + "\"";
    for (const std::string& bad :
         {std::string(), std::string(R"("")"), std::string("null"), std::string("4.5"),
          std::string("-1"), std::string("1e3"), std::string(R"(["42"])"), std::string("true"),
          std::string("{}"), std::string(R"("4\u00002")"), std::string(R"("4\n2")"), too_long}) {
        BOOST_TEST(verify_claims(claims({{"uid", bad}})) == jwt_fault::binding);
    }
    const std::string all = R"("orders:read orders:write read webhooks operate erase metrics")";
    BOOST_TEST(verify_claims(claims({{"uid", "42"}, {"scope", all}})) == jwt_fault::none);
    BOOST_TEST((found.scopes == scopes_of_bound));
    issuer.user_claim.clear();
    issuer.tenant_claim = "https://shop.example/tenant";
    BOOST_TEST(verify_claims(claims({{"https://shop.example/tenant", R"("acme")"}})) ==
               jwt_fault::none);
    BOOST_TEST(found.tenant.value_or("") == "acme");
    BOOST_TEST(!found.user);
    BOOST_TEST(verify_claims(claims({{"uid", "42"}})) == jwt_fault::binding);
}

BOOST_AUTO_TEST_SUITE_END()
