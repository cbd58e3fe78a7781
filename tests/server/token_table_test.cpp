// Which tokens count, for how long they are remembered, and when what was begun with them ends.

#include "token_fixture.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::auth;
using namespace orderproc::server::testing;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

BOOST_FIXTURE_TEST_SUITE(tokens_of_issuers, token_fixture)

BOOST_AUTO_TEST_CASE(a_token_is_of_a_principal) {
    const std::string text = token(es256);
    BOOST_TEST(!table->recall(text));
    const token_verdict got = table->judge(text);
    BOOST_REQUIRE(got.who);
    BOOST_TEST(got.who->name() == "jwt:one.example:alice");
    BOOST_TEST(got.who->may(scope::metrics));
    BOOST_TEST(!got.who->may(scope::erase));
    BOOST_TEST(!got.who->bound());
    BOOST_TEST(got.issuer == "one.example");
    BOOST_TEST((table->recall(text) == got.who));
    const token_verdict other = table->judge(token(ed25519, "b", "https://two.example"));
    BOOST_REQUIRE(other.who);
    BOOST_TEST(other.who->name() == "jwt:two.example:alice");
    // Another token of the same subject is of the same principal.
    const token_verdict later = table->judge(token(es256, "a", "https://one.example", 301));
    BOOST_REQUIRE(later.who);
    BOOST_TEST(later.who->name() == got.who->name());
    BOOST_TEST(later.who->key_owner() == got.who->name());
}

BOOST_AUTO_TEST_CASE(the_log_is_told_why) {
    const auto reason = [&](const std::string& text) {
        const token_verdict got = table->judge(text);
        BOOST_TEST(!got.who);
        return std::string(got.issuer) + " " + std::string(got.reason);
    };
    BOOST_TEST(reason("") == " malformed");
    BOOST_TEST(reason(std::string(9000, 'a')) == " malformed");
    BOOST_TEST(reason(token(es256, "a", "https://other.example")) == " issuer");
    BOOST_TEST(reason(token(es256, "x")) == "one.example key");
    BOOST_TEST(reason(token(rsa)) == "one.example key");
    BOOST_TEST(reason(token(signing_key(signing_key::type::es256))) == "one.example signature");
    BOOST_TEST(reason(token(es256, "a", "https://one.example", -40)) == "one.example expired");
    BOOST_TEST(!table->recall(std::string(9000, 'a')));
}

// Row 15 of the attacks: a kid names a key of its issuer's, and of no other.
BOOST_AUTO_TEST_CASE(a_key_is_looked_for_among_its_issuers) {
    BOOST_TEST(table->judge(token(ed25519, "b", "https://one.example")).reason == "key");
    BOOST_TEST(table->judge(token(es256, "a", "https://two.example")).reason == "key");
    publish(0, {named(es256, "same")});
    publish(1, {named(ed25519, "same")});
    reset();
    BOOST_TEST(table->judge(token(es256, "same")).who);
    BOOST_TEST(!table->judge(token(ed25519, "same")).who);
    BOOST_TEST(!table->judge(token(es256, "same", "https://two.example")).who);
}

// Rows 15 and 16 of the attacks.
BOOST_AUTO_TEST_CASE(nothing_that_a_token_names_is_fetched) {
    const int before = fetched;
    const signing_key mine(signing_key::type::es256);
    for (const char* header : {R"({"alg":"ES256","kid":"https://evil.example/key"})",
                               R"({"alg":"ES256","kid":"file:/etc/passwd"})",
                               R"({"alg":"ES256","kid":"a","jku":"https://evil.example/keys"})",
                               R"({"alg":"ES256","kid":"a","x5u":"https://evil.example/cert"})"}) {
        BOOST_TEST(
            !table->judge(sign_token(mine, header, R"({"iss":"https://one.example","sub":"x"})"))
                 .who);
        look();
    }
    BOOST_TEST(fetched == before);
}

BOOST_AUTO_TEST_CASE(a_token_is_verified_once_a_minute) {
    const std::string text = token(es256);
    BOOST_REQUIRE(table->judge(text).who);
    for (int i = 0; i < 100; ++i) BOOST_TEST(table->recall(text));
    BOOST_TEST(table->verified() == 1U);
    clock.advance(seconds(60) - milliseconds(1));
    BOOST_TEST(table->recall(text));
    BOOST_TEST(table->verified() == 1U);
    clock.advance(milliseconds(1));
    BOOST_TEST(table->recall(text));  // it has counted before
    BOOST_TEST(table->verified() == 2U);
    BOOST_TEST(table->kept() == 1U);
}

BOOST_AUTO_TEST_CASE(a_token_ends_at_its_time) {
    const std::string text = token(es256, "a", "https://one.example", 20);
    const principal_ptr who = table->judge(text).who;
    BOOST_REQUIRE(who);
    clock.advance(seconds(20) - milliseconds(1));
    BOOST_TEST(!who->ended(principal::use::stream));
    clock.advance(milliseconds(1));
    BOOST_TEST(who->ended(principal::use::stream));  // streams stop…
    BOOST_TEST(!who->ended());                       // …and requests have the skew
    BOOST_TEST(table->recall(text));
    BOOST_TEST(table->verified() == 2U);  // which is judged by the token, not by memory
    clock.advance(seconds(30));
    BOOST_TEST(who->ended());
    BOOST_TEST(!table->recall(text));
    BOOST_TEST(table->kept() == 0U);
    BOOST_TEST(table->judge(text).reason == "expired");
}

BOOST_AUTO_TEST_CASE(a_key_that_goes_within_the_minute_takes_its_tokens_along) {
    const std::string old = token(es256, "a", "https://one.example", 3600);
    BOOST_REQUIRE(table->judge(old).who);
    publish(0, {named(rsa, "c")});
    clock.advance(seconds(31));
    BOOST_TEST(table->judge(token(rsa, "c")).unknowable);
    look();
    BOOST_TEST(!table->recall(old));
}

// Row 24 of the attacks.
BOOST_AUTO_TEST_CASE(a_key_that_is_gone_takes_its_tokens_along) {
    const std::string old = token(es256, "a", "https://one.example", 3600);
    const principal_ptr who = table->judge(old).who;
    BOOST_REQUIRE(who);
    publish(0, {named(es256, "a"), named(rsa, "c")});
    clock.advance(minutes(10));
    look();
    const std::string next = token(rsa, "c");
    BOOST_TEST(table->judge(next).who);
    BOOST_TEST(table->recall(old));
    BOOST_TEST(!who->ended());
    publish(0, {named(rsa, "c")});
    clock.advance(minutes(10));
    look();
    BOOST_TEST(who->ended());
    BOOST_TEST(!table->recall(old));  // at once, though it was verified a moment ago
    BOOST_TEST(table->judge(old).reason == "key");
}

// Row 23 of the attacks.
BOOST_AUTO_TEST_CASE(unknown_keys_are_asked_for_once_in_half_a_minute) {
    clock.advance(seconds(30));
    const int before = fetched;
    for (int i = 0; i < 1000; ++i) {
        const token_verdict got = table->judge(token(es256, "k" + std::to_string(i)));
        BOOST_TEST(!got.who);
        BOOST_TEST(got.reason == "key");
        BOOST_TEST(got.unknowable == (i == 0));
        look();
    }
    BOOST_TEST(fetched == before + 1);
}

BOOST_AUTO_TEST_CASE(a_new_key_counts_once_it_was_fetched) {
    clock.advance(seconds(30));
    publish(0, {named(es256, "a"), named(rsa, "new")});
    const std::string text = token(rsa, "new");
    token_verdict got = table->judge(text);
    BOOST_TEST(!got.who);
    BOOST_TEST(got.unknowable);  // come again in a second
    look();
    got = table->judge(text);
    BOOST_TEST(got.who);
}

BOOST_AUTO_TEST_CASE(without_keys_nobody_knows) {
    published.at("https://one.example/keys") = failure{errc::unavailable, "no route"};
    reset();
    const token_verdict got = table->judge(token(es256));
    BOOST_TEST(!got.who);
    BOOST_TEST(got.unknowable);
    BOOST_TEST(table->judge(token(ed25519, "b", "https://two.example")).who);
    publish(0, {named(es256, "a")});
    clock.advance(seconds(30));
    look();
    BOOST_TEST(table->judge(token(es256)).who);
    published.at("https://one.example/keys") = failure{errc::unavailable, "no route"};
    const std::string text = token(es256, "a", "https://one.example", 24 * 3600);
    BOOST_TEST(table->judge(text).who);
    clock.advance(hours(24) - seconds(10));
    look();
    BOOST_TEST(table->recall(text));  // the keys are those of yesterday, and count
    clock.advance(seconds(11));
    look();
    BOOST_TEST(!table->recall(text));
    BOOST_TEST(table->judge(text).unknowable);
}

// By the digest of all of it: what begins alike, or differs in the signature, is another token.
BOOST_AUTO_TEST_CASE(a_token_is_remembered_whole) {
    const std::string text = token(es256);
    BOOST_REQUIRE(table->judge(text).who);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(!table->recall(changed));
        BOOST_TEST(!table->recall(text.substr(0, i)));
    }
    BOOST_TEST(!table->recall(text + "A"));
    // The same header and the same beginning of the claims.
    const std::string longer = token(es256, "a", "https://one.example", 300, "alice", R"(,"x":1)");
    BOOST_TEST(!table->recall(longer));
    BOOST_TEST(table->recall(text));
}

BOOST_AUTO_TEST_CASE(the_tokens_used_last_are_kept) {
    const auto nth = [&](std::size_t i) {
        return token(ed25519, "b", "https://two.example", 300, "s" + std::to_string(i));
    };
    const std::string first = nth(0);
    BOOST_REQUIRE(table->judge(first).who);
    const std::string second = nth(1);
    BOOST_REQUIRE(table->judge(second).who);
    for (std::size_t i = 2; i < token_table::tokens_max; ++i) {
        BOOST_REQUIRE(table->judge(nth(i)).who);
    }
    BOOST_TEST(table->kept() == token_table::tokens_max);
    BOOST_TEST(table->recall(first));
    BOOST_REQUIRE(table->judge(nth(token_table::tokens_max)).who);
    BOOST_TEST(table->kept() == token_table::tokens_max);
    BOOST_TEST(table->recall(first));
    BOOST_TEST(!table->recall(second));
}

BOOST_AUTO_TEST_CASE(a_bound_token_is_of_its_user) {
    issuers[0].user_claim = "uid";
    reset();
    BOOST_TEST(table->judge(token(es256)).reason == "binding");
    const token_verdict got =
        table->judge(token(es256, "a", "https://one.example", 300, "alice", R"(,"uid":42)"));
    BOOST_REQUIRE(got.who);
    BOOST_TEST(got.who->user().value_or("") == "42");
    BOOST_TEST((got.who->scopes() == scope_set{scope::orders_read, scope::orders_write}));
    // The next token of the same subject may be somebody else's: it replays nothing of this one.
    const token_verdict other =
        table->judge(token(es256, "a", "https://one.example", 300, "alice", R"(,"uid":7)"));
    BOOST_REQUIRE(other.who);
    BOOST_TEST(other.who->name() == got.who->name());
    BOOST_TEST(other.who->key_owner() != got.who->key_owner());
    const token_verdict again =
        table->judge(token(es256, "a", "https://one.example", 301, "alice", R"(,"uid":42)"));
    BOOST_REQUIRE(again.who);
    BOOST_TEST(again.who->key_owner() == got.who->key_owner());
}

BOOST_AUTO_TEST_SUITE_END()
