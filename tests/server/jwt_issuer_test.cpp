// Whose tokens are taken, as options and files say it.

#include "auth/jwt_issuer.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server::auth;

namespace {

jwt_issuer good() {
    jwt_issuer out;
    out.issuer = "https://ID.example:8443/realms/shop";
    out.audience = "orderproc";
    out.keys = "https://id.example/keys";
    return out;
}

std::string reason(std::vector<jwt_issuer> all) {
    const auto got = complete(all);
    return got ? std::string() : got.error().detail;
}

std::string reason(void (*change)(jwt_issuer&)) {
    jwt_issuer it = good();
    change(it);
    return reason({it});
}

bool says(const std::string& text, const char* word) {
    return text.find(word) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(issuers)

BOOST_AUTO_TEST_CASE(the_name_is_the_host_unless_there_is_one) {
    std::vector<jwt_issuer> all{good()};
    BOOST_REQUIRE(complete(all).has_value());
    BOOST_TEST(all[0].name == "id.example");
    all[0].name = "shop";
    BOOST_REQUIRE(complete(all).has_value());
    BOOST_TEST(all[0].name == "shop");
    for (const auto& [issuer, name] : {std::pair{"https://a.example", "a.example"},
                                       std::pair{"https://a.example/x", "a.example"}}) {
        all = {good()};
        all[0].issuer = issuer;
        BOOST_REQUIRE(complete(all).has_value());
        BOOST_TEST(all[0].name == name);
    }
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_named) {
    BOOST_TEST(reason([](jwt_issuer&) {}).empty());
    BOOST_TEST(says(reason([](jwt_issuer& it) { it.issuer.clear(); }), "issuer"));
    BOOST_TEST(says(reason([](jwt_issuer& it) { it.issuer = "shop"; }), "name"));
    BOOST_TEST(says(reason([](jwt_issuer& it) { it.issuer = "https://[::1]/"; }), "name"));
    BOOST_TEST(says(reason([](jwt_issuer& it) { it.name = "The Shop"; }), "The Shop"));
    BOOST_TEST(says(reason([](jwt_issuer& it) { it.audience.clear(); }), "audience"));
    for (const char* bad :
         {"", "keys.json", "http://id.example/keys", "file:keys.json", "ftp://x"}) {
        jwt_issuer it = good();
        it.keys = bad;
        BOOST_TEST(says(reason({it}), "file:/PATH"), bad);
    }
    for (const char* bad : {"none", "HS256", "es256", "RS512", ""}) {
        jwt_issuer it = good();
        it.algorithms = {"ES256", bad};
        BOOST_TEST(says(reason({it}), "unknown algorithm"), bad);
    }
    BOOST_TEST(says(reason([](jwt_issuer& it) { it.algorithms.clear(); }), "algorithm"));
    BOOST_TEST(says(reason([](jwt_issuer& it) { it.scope_claim.clear(); }), "scopes"));
    BOOST_TEST(
        says(reason([](jwt_issuer& it) { it.user_claim = it.tenant_claim = "x"; }), "not to both"));
    BOOST_TEST(says(reason({good(), good()}), "twice"));
    jwt_issuer other = good();
    other.issuer += "2";
    BOOST_TEST(says(reason({good(), other}), "another name"));
    other.name = "other";
    BOOST_TEST(reason({good(), other}).empty());
    std::vector<jwt_issuer> many;
    for (std::size_t i = 0; i < jwt_issuers_max + 1; ++i) {
        many.push_back(good());
        many.back().issuer += std::to_string(i);
        many.back().name = "n" + std::to_string(i);
    }
    BOOST_TEST(says(reason(many), "16"));
    many.pop_back();
    BOOST_TEST(reason(many).empty());
}

BOOST_AUTO_TEST_CASE(a_file_has_several) {
    const auto got = parse_jwt_issuers(
        R"([{"issuer":"https://a.example","audience":"x","keys":"file:/a"},
            {"issuer":"b","name":"n","audience":"y","keys":"https://b.example/k",
             "algorithms":["ES256"],"scope_claim":"scp","user_claim":"uid",
             "allow_private":true},{"tenant_claim":"tid"}])");
    BOOST_REQUIRE(got.has_value());
    BOOST_REQUIRE(got->size() == 3U);
    BOOST_TEST((*got)[0].issuer == "https://a.example");
    BOOST_TEST((*got)[0].algorithms.size() == 3U);
    BOOST_TEST((*got)[0].scope_claim == "scope");
    const jwt_issuer& b = (*got)[1];
    BOOST_TEST(b.issuer == "b");
    BOOST_TEST(b.name == "n");
    BOOST_TEST(b.audience == "y");
    BOOST_TEST(b.keys == "https://b.example/k");
    BOOST_TEST(b.takes(jwt_algorithm::es256));
    BOOST_TEST(!b.takes(jwt_algorithm::rs256));
    BOOST_TEST(b.scope_claim == "scp");
    BOOST_TEST(b.user_claim == "uid");
    BOOST_TEST(b.allow_private);
    BOOST_TEST((*got)[2].tenant_claim == "tid");
    BOOST_TEST(parse_jwt_issuers("[]").value().empty());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_wrong_is_refused) {
    for (const char* bad :
         {"", "{}", "null", "[1]", "[[]]", "[{}", R"([{"issuer":"a","issuer":"b"}])"}) {
        const auto got = parse_jwt_issuers(bad);
        BOOST_REQUIRE(!got.has_value());
        BOOST_TEST(says(got.error().detail, "JSON array"), bad);
    }
    for (const auto& [bad, word] :
         {std::pair{R"([{},{"isuer":"a"}])", "issuer 2: the member \"isuer\""},
          std::pair{R"([{"issuer":1}])", "\"issuer\""},
          std::pair{R"([{"algorithms":"ES256"}])", "\"algorithms\""},
          std::pair{R"([{"algorithms":[1]}])", "\"algorithms\""},
          std::pair{R"([{"allow_private":"yes"}])", "\"allow_private\""}}) {
        const auto got = parse_jwt_issuers(bad);
        BOOST_REQUIRE(!got.has_value());
        BOOST_TEST(says(got.error().detail, word), got.error().detail);
    }
}

BOOST_AUTO_TEST_SUITE_END()
