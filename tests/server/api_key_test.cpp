// What a key looks like, and what is kept of it.

#include "auth/api_key.hpp"

#include "text/secret_text.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::auth;

namespace {

api_key sample() {
    api_key out;
    out.id = "4fZ0b1Qx";
    out.name = "web-shop";
    out.secret = digest_of("secret");
    out.scopes = {scope::orders_read, scope::orders_write};
    out.created_at = parse_timestamp("2026-06-15T14:23:11.326Z").value();
    out.created_by = "cli:anna";
    return out;
}

std::string why_not(const api_key& it) {
    const auto ok = validate(it);
    return ok ? std::string() : ok.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_key_has_five_parts_and_is_random) {
    const std::string text = make_key("live");
    BOOST_TEST(text.size() == 3 + 4 + 1 + 8 + 1 + 43 + 1 + 6);
    BOOST_TEST(text.starts_with("op_live_"));
    const auto read = parse_key(text);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->environment == "live");
    BOOST_TEST(read->id.size() == key_id_size);
    BOOST_TEST(read->secret.size() == key_secret_size);
    std::set<std::string> all;
    for (int i = 0; i < 100; ++i) all.insert(make_key("t1"));
    BOOST_TEST(all.size() == 100U);
}

// Each character of base62 comes about as often as the others: a secret has the bits that it seems
// to have.
BOOST_AUTO_TEST_CASE(no_character_is_preferred) {
    std::array<int, 128> seen{};
    for (const char c : random_text(62'000)) ++seen[static_cast<std::size_t>(c)];
    int kinds = 0;
    for (const int it : seen) {
        if (it == 0) continue;
        ++kinds;
        BOOST_TEST(it > 800);  // of 1,000; six standard deviations
        BOOST_TEST(it < 1200);
    }
    BOOST_TEST(kinds == 62);
}

BOOST_AUTO_TEST_CASE(every_changed_character_is_noticed) {
    const std::string text = make_key("live");
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        BOOST_TEST(!parse_key(changed).has_value(), changed);
        BOOST_TEST(!parse_key(text.substr(0, i)).has_value());
        changed = text;
        changed.insert(i, 1, '0');
        BOOST_TEST(!parse_key(changed).has_value(), changed);
    }
    for (const char* bad : {"", "op_", "op_live", " ", "Bearer", "op___", "op_LIVE_1"}) {
        BOOST_TEST(!parse_key(bad).has_value(), bad);
    }
    BOOST_TEST(!parse_key(text + " ").has_value());
    BOOST_TEST(!parse_key(text + std::string(1, '\0')).has_value());
}

BOOST_AUTO_TEST_CASE(a_key_is_found_within_a_text) {
    const std::string text = make_key("live");
    BOOST_TEST(has_key(text));
    BOOST_TEST(has_key("limit=1&x=" + text + "&y=2"));
    BOOST_TEST(!has_key("op_live_short"));
    BOOST_TEST(!has_key("status=PENDING"));
    BOOST_TEST(!has_key("stop_" + std::string(20, 'x')));
}

BOOST_AUTO_TEST_CASE(a_record_has_all_of_a_key_but_its_secret) {
    api_key it = sample();
    for (int i = 0; i < 3; ++i) {
        if (i == 1) {
            it.user = "42";
            it.networks = {"10.0.0.0/8", "fd00::/8"};
            it.expires_at = it.created_at + std::chrono::hours(24);
        } else if (i == 2) {
            it.user.reset();
            it.tenant = "north";
            it.revoked_at = it.created_at + std::chrono::hours(1);
            it.rotated_from = "00000000";
        }
        const std::string value = encode(it);
        BOOST_TEST(value.find("\"secret\"") == value.npos);
        const auto read = decode_key(it.id, value);
        BOOST_REQUIRE(read.has_value());
        BOOST_TEST(encode(*read) == value);
        BOOST_TEST(read->id == it.id);
        BOOST_TEST((read->user == it.user && read->tenant == it.tenant));
        BOOST_TEST((read->expires_at == it.expires_at && read->revoked_at == it.revoked_at));
    }
}

BOOST_AUTO_TEST_CASE(other_bytes_are_no_key) {
    const std::string good = encode(sample());
    for (const std::string& bad :
         {std::string(), std::string("{}"), std::string("[]"), good.substr(0, good.size() - 2),
          std::string("{\"name\":1}"), std::string("\0", 1)}) {
        const auto read = decode_key("x", bad);
        BOOST_REQUIRE(!read.has_value());
        BOOST_TEST((read.error().code == errc::corrupt), bad);
    }
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
    BOOST_TEST(why_not(sample()) == "");
    api_key it = sample();
    for (const char* name : {"", "Web", "-a", "a b", "key:a", "\xc3\xa4"}) {
        it.name = name;
        BOOST_TEST(why_not(it).find("the name") == 0U, name);
    }
    it.name = std::string(65, 'a');
    BOOST_TEST(why_not(it).find("the name") == 0U);
    it = sample();
    it.scopes = {};
    BOOST_TEST(why_not(it).find("scope") != std::string::npos);
    it = sample();
    it.user = "42";
    BOOST_TEST(why_not(it) == "");
    it.tenant = "north";
    BOOST_TEST(why_not(it).find("not to both") != std::string::npos);
    it = sample();
    it.tenant = "";
    BOOST_TEST(why_not(it) != "");
    it = sample();
    it.networks = {"10.0.0.0/33"};
    BOOST_TEST(why_not(it).find("10.0.0.0/33") != std::string::npos);
    // Nobody who is bound may do what shows or changes what belongs to all.
    for (const scope each :
         scopes_in({scope::read, scope::operate, scope::erase, scope::metrics})) {
        it = sample();
        it.user = "42";
        it.scopes.add(each);
        BOOST_TEST(why_not(it).find("bound") != std::string::npos, to_string(each));
    }
}

BOOST_AUTO_TEST_CASE(when_a_key_ends) {
    api_key it = sample();
    const timestamp later = it.created_at + std::chrono::hours(1);
    BOOST_TEST(!it.ended(later));
    BOOST_TEST(!it.ends_at().has_value());
    it.expires_at = later;
    BOOST_TEST(!it.ended(later - std::chrono::milliseconds(1)));
    BOOST_TEST(it.ended(later));
    it.revoked_at = it.created_at;
    BOOST_TEST(it.ended(it.created_at));
    BOOST_TEST((it.ends_at() == it.created_at));
}

BOOST_AUTO_TEST_CASE(digests_are_compared_to_their_last_byte) {
    const digest one = digest_of("one");
    BOOST_TEST(equal_in_constant_time(one, one));
    for (std::size_t i = 0; i < one.size(); ++i) {
        digest other = one;
        other[i] ^= std::byte{1};
        BOOST_TEST(!equal_in_constant_time(one, other));
    }
}

BOOST_AUTO_TEST_CASE(scopes_are_read_by_name) {
    const std::vector<std::string> all{"orders:read", "orders:write", "read",   "webhooks",
                                       "operate",     "erase",        "metrics"};
    const auto read = parse_scopes(all);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(to_string(*read) == "orders:read orders:write read webhooks operate erase metrics");
    for (const std::string& it : all) {
        const auto one = parse_scopes(std::vector{it});
        BOOST_REQUIRE(one.has_value());
        BOOST_TEST(to_string(*one) == it);
        BOOST_TEST(read->holds(*one));
        BOOST_TEST(!one->holds(*read));
    }
    BOOST_TEST(!parse_scopes(std::vector<std::string>{}).has_value());
    const auto unknown = parse_scopes(std::vector<std::string>{"admin"});
    BOOST_REQUIRE(!unknown.has_value());
    BOOST_TEST(unknown.error().detail.find("\"admin\"") != std::string::npos);
}
