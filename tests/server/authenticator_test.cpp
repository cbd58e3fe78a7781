// Who a request is from: with and without a credential, from here and from elsewhere.

#include "auth_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::auth;
using namespace orderproc::server::testing;

namespace {

struct judged : auth_fixture {
    judged() { refresh(); }

    authenticator make_judge(bool everybody_may = false) {
        authenticator_options options;
        options.trusted_proxies = {http::address_range::parse("10.0.0.9").value(),
                                   http::address_range::parse("127.0.0.9").value()};
        options.everybody_may = everybody_may;
        options.refused = [this](const refused_credential& it) {
            log.push_back(std::string(it.reason) + " " + std::string(it.key_id));
        };
        return {&table, std::move(options), 7};
    }
    authenticator::verdict ask(std::vector<http::field> fields, const char* from = "127.0.0.1") {
        http::request in;
        in.method = "GET";
        in.path = "/orders";
        in.fields = fields;
        in.peer = address(from);
        return judge.judge(in);
    }
    authenticator::verdict with_key(const std::string& text, const char* from = "192.0.2.1") {
        const std::string value = "Bearer " + text;
        return ask({{"Authorization", value}}, from);
    }
    static bool is_nobody(const authenticator::verdict& it) { return it.who == nobody(); }
    static bool is_anonymous(const authenticator::verdict& it) {
        return it.who->name().empty() && it.who->scopes() == scopes_without_key;
    }

    std::vector<std::string> log;
    authenticator judge = make_judge();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(authentication, judged)

BOOST_AUTO_TEST_CASE(without_a_key_this_machine_need_not_say_who_it_is) {
    for (const char* here : {"127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"}) {
        const auto got = ask({}, here);
        BOOST_TEST(is_anonymous(got), here);
        for (const scope may : {scope::orders_read, scope::orders_write, scope::read,
                                scope::operate, scope::metrics}) {
            BOOST_TEST(got.who->may(may));
        }
        BOOST_TEST(!got.who->may(scope::erase));
        BOOST_TEST(!got.who->may(scope::webhooks));
    }
    for (const char* elsewhere : {"192.0.2.1", "10.0.0.1", "128.0.0.1", "2001:db8::1",
                                  "::", "::ffff:10.0.0.1", "0.0.0.0"}) {
        BOOST_TEST(is_nobody(ask({}, elsewhere)), elsewhere);
    }
}

BOOST_AUTO_TEST_CASE(requests_are_counted_by_their_credential) {
    (void)ask({});
    const auto made = make("web-shop", {scope::orders_read});
    refresh();
    (void)ask({});
    (void)with_key(made.text);
    (void)with_key("op_nobody_has_this_key");
    (void)ask({{"Authorization", "Basic QTpC"}});
    BOOST_TEST(judge.judged().none == 2U);
    BOOST_TEST(judge.judged().accepted == 1U);
    BOOST_TEST(judge.judged().refused == 2U);
}

BOOST_AUTO_TEST_CASE(what_was_passed_on_is_never_anonymous) {
    BOOST_TEST(is_nobody(ask({}, "127.0.0.9")));  // a trusted proxy on this machine
    for (const char* name : {"Forwarded", "forwarded", "X-Forwarded-For", "x-forwarded-host",
                             "X-FORWARDED-PROTO", "X-Forwarded-Anything"}) {
        BOOST_TEST(is_nobody(ask({{name, "for=127.0.0.1"}})), name);
        BOOST_TEST(is_nobody(ask({{name, ""}})), name);
    }
    BOOST_TEST(is_anonymous(ask({{"X-Forward", "x"}, {"Forwarded-For", "x"}})));
}

BOOST_AUTO_TEST_CASE(once_there_is_a_key_everybody_needs_one) {
    const auto made = make("web-shop", {scope::orders_read});
    BOOST_TEST(is_anonymous(ask({})));
    const principal_ptr before = ask({}).who;
    BOOST_TEST(!before->ended());
    refresh();
    BOOST_TEST(before->ended());  // and so do streams that were begun without one
    BOOST_TEST(is_nobody(ask({})));
    BOOST_TEST(with_key(made.text, "127.0.0.1").who->name() == "key:web-shop");
    BOOST_REQUIRE(admin.revoke(made.key.id).has_value());
    refresh();
    BOOST_TEST(is_nobody(ask({})));  // nor when it has ended
}

BOOST_AUTO_TEST_CASE(where_nobody_is_asked_a_key_still_closes_the_door) {
    authenticator open = make_judge(true);
    http::request in;
    in.peer = address("192.0.2.1");
    BOOST_TEST(is_anonymous(open.judge(in)));
    const http::field forwarded[] = {{"X-Forwarded-For", "1.2.3.4"}};
    in.fields = forwarded;
    BOOST_TEST(is_anonymous(open.judge(in)));
    make("web-shop", {scope::orders_read});
    refresh();
    BOOST_TEST((open.judge(in).who == nobody()));
}

// Row 1 of the attacks.
BOOST_AUTO_TEST_CASE(only_one_bearer_is_a_credential) {
    const auto made = make("web-shop", {scope::orders_read});
    refresh();
    const std::string good = "Bearer " + made.text;
    const std::string basic = "Basic " + made.text;
    const std::string lower = "bearer " + made.text;
    BOOST_TEST(!is_nobody(ask({{"Authorization", good}})));
    BOOST_TEST(!is_nobody(ask({{"authorization", lower}})));
    BOOST_TEST(is_nobody(ask({{"Authorization", good}, {"Authorization", good}})));
    for (const std::string& bad :
         {std::string(), std::string("Bearer"), std::string("Bearer "), basic, made.text,
          good + " ", "Bearer  " + made.text, good + ", " + good, "Bearer\t" + made.text}) {
        BOOST_TEST(is_nobody(ask({{"Authorization", bad}})), bad);
    }
    for (const char* other : {"Cookie", "X-Api-Key", "Proxy-Authorization"}) {
        BOOST_TEST(is_nobody(ask({{other, good}})), other);
    }
}

// What is sent counts, also where nothing need be sent.
BOOST_AUTO_TEST_CASE(a_wrong_credential_is_not_overlooked) {
    const auto got = with_key(make_key("live"), "127.0.0.1");
    BOOST_TEST(is_nobody(got));
    BOOST_TEST(got.invalid);
    BOOST_TEST(!ask({}, "192.0.2.1").invalid);
}

BOOST_AUTO_TEST_CASE(the_log_knows_why_and_the_client_does_not) {
    const auto made = make("web-shop", {scope::orders_read});
    const auto ended = make("old", {scope::orders_read});
    BOOST_REQUIRE(admin.revoke(ended.key.id).has_value());
    refresh();
    const std::string unknown = make_key("live");
    for (const std::string& it : {ended.text, unknown, made.text + "x", std::string("nonsense")}) {
        const auto got = with_key(it);
        BOOST_TEST(is_nobody(got));
        BOOST_TEST((got.refusal == &problems::unauthenticated));
        BOOST_TEST(got.retry_after == 0U);
    }
    BOOST_REQUIRE(log.size() == 4U);
    BOOST_TEST(log[0] == "ended " + ended.key.id);
    BOOST_TEST(log[1] == "unknown " + std::string(parse_key(unknown)->id));
    BOOST_TEST(log[2] == "malformed ");
    for (const std::string& it : log) BOOST_TEST(it.size() < 30U);  // no secret
}

// Row 4: the field of somebody who is no proxy of ours means nothing.
BOOST_AUTO_TEST_CASE(networks_are_those_of_the_client) {
    const auto made = make("web-shop", {scope::orders_read},
                           [](api_key& it) { it.networks = {"198.51.100.0/24"}; });
    refresh();
    const std::string value = "Bearer " + made.text;
    const std::vector<http::field> forged{{"Authorization", value},
                                          {"X-Forwarded-For", "198.51.100.7"}};
    BOOST_TEST(!is_nobody(with_key(made.text, "198.51.100.7")));
    BOOST_TEST(is_nobody(with_key(made.text, "192.0.2.1")));
    BOOST_TEST(is_nobody(ask(forged, "192.0.2.1")));
    BOOST_TEST(is_nobody(ask(forged, "127.0.0.1")));
    BOOST_TEST(!is_nobody(ask(forged, "10.0.0.9")));
}

// Row 9 of the attacks.
BOOST_AUTO_TEST_CASE(failures_are_limited_and_good_keys_are_not) {
    const auto made = make("web-shop", {scope::orders_read});
    refresh();
    const std::string bad = make_key("live");
    int unauthenticated = 0;
    int limited = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto got = with_key(bad);
        if (got.refusal == &problems::unauthenticated) ++unauthenticated;
        if (got.refusal == &http::problems::rate_limited) {
            ++limited;
            BOOST_TEST(got.retry_after >= 1U);
        }
        BOOST_TEST(with_key(made.text).who->name() == "key:web-shop");
    }
    BOOST_TEST(unauthenticated >= 50);
    BOOST_TEST(limited > 500);
    BOOST_TEST(log.size() == static_cast<std::size_t>(unauthenticated));  // nor is the log flooded
    BOOST_TEST((with_key(bad, "192.0.2.2").refusal == &problems::unauthenticated));
}

BOOST_AUTO_TEST_CASE(without_fresh_keys_nobody_is_believed) {
    const auto made = make("web-shop", {scope::orders_read});
    refresh();
    clock.advance(key_table::stale_after + std::chrono::milliseconds(1));
    for (const auto& got : {with_key(made.text), with_key(make_key("live")), ask({})}) {
        BOOST_TEST(is_nobody(got));
        BOOST_TEST((got.refusal == &problems::credentials_unavailable));
        BOOST_TEST(got.retry_after >= 1U);
    }
    BOOST_TEST(judge.judged().accepted == 0U);
    BOOST_TEST(judge.judged().none == 0U);
    refresh();
    BOOST_TEST(!is_nobody(with_key(made.text)));
}

BOOST_AUTO_TEST_CASE(where_nobody_had_a_key_a_storage_that_is_away_changes_nothing) {
    clock.advance(key_table::stale_after * 2);
    BOOST_TEST(is_anonymous(ask({})));
    BOOST_TEST((with_key(make_key("live")).refusal == &problems::credentials_unavailable));
}

BOOST_AUTO_TEST_CASE(a_storage_without_records_has_no_keys) {
    authenticator none(nullptr, {}, 7);
    http::request in;
    in.peer = address("127.0.0.1");
    BOOST_TEST((none.judge(in).who == anonymous()));
    const http::field sent[] = {{"Authorization", "Bearer x"}};
    in.fields = sent;
    BOOST_TEST((none.judge(in).who == nobody()));
    in.fields = {};
    in.peer = address("192.0.2.1");
    BOOST_TEST((none.judge(in).who == nobody()));
}

BOOST_AUTO_TEST_CASE(credentials_in_a_query_are_found) {
    const std::string text = make_key("live");
    const std::string jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.AAAA";
    for (const std::string& bad : std::vector<std::string>{
             "x=" + text, text, "key=x", "a=1&API_KEY=x", "access_token=", "token=x&b=2", "apikey",
             "x=" + jwt, jwt + "&y"}) {
        BOOST_TEST(has_credential(bad), bad);
    }
    for (const char* good :
         {"", "status=PENDING", "order_id_prefix=key", "limit=1&cursor=token", "keys=1", "&", "=",
          "a=key", "cursor=eyJhbGciOiJFUzI1NiJ9eyJzdWIiOiJhbGljZSJ9", "order_id_prefix=eyJ.a.b"}) {
        BOOST_TEST(!has_credential(good), good);
    }
}

BOOST_AUTO_TEST_SUITE_END()
