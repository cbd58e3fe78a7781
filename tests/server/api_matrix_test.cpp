// Each kind of principal with each route of the table, and what those see and leave behind who may.
// A new route fails these tests until it has a row here.

#include "guarded_fixture.hpp"
#include "shop_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <regex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using auth::scope;

namespace {

// What is known of a route, once more and by hand.
struct about {
    const char* needs;      // the scope, or one " or " another; "any": whichever; "": everybody
    const char* body = "";  // that gets past the question of who asks
    const char* sees = "";  // a target that shows order A to whoever may see it
};
const std::map<std::string, about>& routes_by_hand() {
    static const std::map<std::string, about> out{
        {"create_order", {"orders:write"}},
        {"create_orders", {"orders:write"}},
        {"list_orders", {"orders:read", "", "/orders"}},
        {"get_order", {"orders:read", "", "/orders/A"}},
        {"replace_order", {"orders:write"}},
        {"patch_order", {"orders:write"}},
        {"annotate_order", {"orders:write", "{}"}},
        {"redact_order", {"erase"}},
        {"get_model", {"orders:read"}},
        {"get_history", {"orders:read", "", "/orders/A/history"}},
        {"delete_order", {"orders:write"}},
        {"cancel_order", {"orders:write"}},
        {"retry_order", {"operate"}},
        {"raise_transition", {"orders:write", R"({"event":"cancel"})"}},
        {"answer_attempt", {"orders:write", R"({"advance":{}})"}},
        {"list_orders_by_status", {"orders:read", "", "/orders/status/failed"}},
        {"stream_events", {"orders:read"}},        // over sockets: access_over_http_test.cpp
        {"stream_order_events", {"orders:read"}},  // the same
        {"get_journal", {"orders:read", "", "/journal"}},
        {"create_webhook", {"webhooks", "{}"}},
        {"list_webhooks", {"webhooks"}},  // and the rest: api_webhooks_test.cpp
        {"get_webhook", {"webhooks"}},
        {"patch_webhook", {"webhooks", "{}"}},
        {"delete_webhook", {"webhooks"}},
        {"test_webhook", {"webhooks"}},
        {"rotate_webhook", {"webhooks"}},
        {"pause_webhook", {"webhooks"}},
        {"resume_webhook", {"webhooks"}},
        {"replay_webhook", {"webhooks", "{}"}},
        {"list_webhook_attempts", {"webhooks"}},
        {"get_whoami", {"any"}},
        {"list_pauses", {"read"}},
        {"pause_work", {"operate"}},
        {"resume_work", {"operate"}},
        {"list_workers", {"read"}},
        {"explain_order", {"read"}},
        {"get_stats", {"read"}},
        {"get_findings", {"read"}},
        {"get_dead_letters", {"read"}},
        {"retry_dead_letters", {"operate", "{}"}},
        {"get_operation", {"read or operate"}},
        {"stop_operation", {"operate"}},
        {"get_metrics", {"metrics"}},
        {"get_health", {""}},
        {"get_readiness", {""}},
        {"get_openapi", {""}},
        {"get_docs", {""}},
        {"get_docs_file", {""}},
        {"get_dashboard_file", {""}},
        {"get_root", {""}}};
    return out;
}

// For those who hold the scope of a route, or something that only looks like it.
struct principal_row {
    std::string name;
    std::string key = {};  // empty: none is sent
    auth::scope_set holds = {};
    bool known = true;    // it has an identity, and is told which scope it lacks
    bool broken = false;  // it sends a credential that does not count
    std::string peer = "127.0.0.1";
    std::vector<http::field> more = {};
};

struct everybody : guarded {
    void check(const principal_row& who) {
        for (const route& it : routes()) {
            const auto row = routes_by_hand().find(std::string(it.name));
            BOOST_REQUIRE_MESSAGE(row != routes_by_hand().end(), it.name << ": who may ask?");
            BOOST_TEST_CONTEXT(who.name << ": " << it.method << ' ' << it.pattern) {
                check(who, it, row->second);
            }
        }
    }

    void check(const principal_row& who, const route& it, const about& known) {
        peer = address(who.peer.c_str());
        const answer got = with(who.key, it.method, target_of(it), known.body, who.more);
        const std::string needs = known.needs;
        const bool may = needs.empty() || meets(who.holds, needs);
        if (may) {
            BOOST_TEST(got.status != 401);
            BOOST_TEST(got.status != 403);
        } else if (who.known) {
            BOOST_TEST(got.status == 403);
            BOOST_TEST(got.says("\"code\":\"forbidden\""));
            BOOST_TEST(got.says(needs));
            BOOST_TEST(!got.find("WWW-Authenticate"));
        } else {
            BOOST_TEST(got.status == 401);
            BOOST_TEST(got.says("\"code\":\"unauthenticated\""));
            BOOST_TEST(!got.says("detail"));
            BOOST_TEST(got.find("WWW-Authenticate").value_or("") ==
                       (who.broken ? R"(Bearer realm="orderproc", error="invalid_token")"
                                   : R"(Bearer realm="orderproc")"));
        }
    }

    // needs: "read", "read or operate", or "any".
    static bool meets(const auth::scope_set& holds, const std::string& needs) {
        if (needs == "any") return !holds.empty();
        const std::size_t rest = needs.find(" or ");
        if (holds.has(auth::find_scope(needs.substr(0, rest)).value())) return true;
        return rest != needs.npos && meets(holds, needs.substr(rest + 4));
    }

    static std::string target_of(const route& it) {
        std::string out(it.pattern);
        for (const auto& [name, value] :
             {std::pair{"status", "PENDING"}, std::pair{"file", "style.css"}}) {
            out = std::regex_replace(out, std::regex("[{]" + std::string(name) + "[}]"), value);
        }
        return std::regex_replace(out, std::regex("[{][a-z_]+[}]"), "NONE-1");
    }
};

principal_row nobody_from(std::string name, std::string peer, std::vector<http::field> more = {}) {
    principal_row out{std::move(name)};
    out.known = false;
    out.peer = std::move(peer);
    out.more = std::move(more);
    return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(matrix, everybody)

BOOST_AUTO_TEST_CASE(every_route_says_who_may_ask) {
    for (const route& it : routes()) {
        BOOST_TEST(it.needs.stated, it.method << ' ' << it.pattern << " has no scope");
    }
    BOOST_TEST(routes().size() == routes_by_hand().size());
}

BOOST_AUTO_TEST_CASE(without_a_key_this_machine_may_what_developers_do) {
    for (const char* here : {"127.0.0.1", "127.9.9.9", "::1"}) {
        principal_row it{std::string("no key from ") + here, "", auth::scopes_without_key};
        it.peer = here;
        check(it);
    }
    check(nobody_from("no key from elsewhere", "192.0.2.1"));
    check(nobody_from("no key from elsewhere", "2001:db8::1"));
    for (const char* name : {"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto",
                             "x-forwarded-host", "X-Forwarded-Anything"}) {
        check(nobody_from(std::string("passed on, ") + name, "127.0.0.1", {{name, "127.0.0.1"}}));
    }
}

BOOST_AUTO_TEST_CASE(a_trusted_proxy_is_never_anonymous) {
    auth::authenticator_options options;
    options.trusted_proxies.push_back(http::address_range::parse("127.0.0.1").value());
    auth::authenticator behind(&keys.table, options, 7);
    api_parts parts;
    parts.auth = &behind;
    api proxied(orders, reads, std::move(parts));
    api_service proxied_service(proxied);
    served = &proxied_service;
    check(nobody_from("a trusted proxy", "127.0.0.1"));
    principal_row other{"no key from beside it", "", auth::scopes_without_key};
    other.peer = "127.0.0.2";
    check(other);
}

BOOST_AUTO_TEST_CASE(without_authentication_everybody_is_a_developer) {
    auth::authenticator_options options;
    options.everybody_may = true;
    auth::authenticator open(&keys.table, options, 7);
    api_parts parts;
    parts.auth = &open;
    api opened(orders, reads, std::move(parts));
    api_service opened_service(opened);
    served = &opened_service;
    principal_row it{"no key from elsewhere", "", auth::scopes_without_key};
    it.peer = "192.0.2.1";
    check(it);
    add("first", {scope::metrics});  // it ends with the first key
    check(nobody_from("no key once there is one", "192.0.2.1"));
}

// Each scope alone, and all of them.
BOOST_AUTO_TEST_CASE(principals_and_routes) {
    auth::scope_set all;
    for (const scope it : auth::scopes_in(auth::all_scopes)) {
        std::string name(to_string(it));
        std::replace(name.begin(), name.end(), ':', '-');
        check({name, add(name, {it}), {it}});
        all.add(it);
    }
    check({"all", add("all", all), all});
    principal_row elsewhere{"from elsewhere", add("elsewhere", all), all};
    elsewhere.peer = "192.0.2.1";
    elsewhere.more = {{"Forwarded", "for=127.0.0.1"}};
    check(elsewhere);
    check(nobody_from("no key once there is one", "127.0.0.1"));
}

BOOST_AUTO_TEST_CASE(bound_principals_and_routes) {
    check({"user", add("user", auth::scopes_of_bound, bind_to_42), auth::scopes_of_bound});
    check({"tenant",
           add("tenant", auth::scopes_of_bound, [](auth::api_key& it) { it.tenant = "north"; }),
           auth::scopes_of_bound});
    check({"reads", add("reads", {scope::orders_read}, bind_to_42), {scope::orders_read}});
    // More than that a bound key cannot even be made with.
    for (const scope it : auth::scopes_in(auth::all_scopes)) {
        auth::api_key wanted;
        wanted.name = "more";
        wanted.scopes = {it};
        wanted.user = "42";
        BOOST_TEST(auth::validate(wanted).has_value() == auth::scopes_of_bound.has(it),
                   to_string(it));
    }
}

BOOST_AUTO_TEST_CASE(a_key_that_does_not_count_is_nobody) {
    auth::api_key brief;
    brief.name = "brief";
    brief.scopes = auth::all_scopes;
    brief.expires_at = keys.clock.now() + std::chrono::seconds(1);
    const auto expired = keys.admin.create(brief, "test").value();
    const auto revoked = keys.make("revoked", auth::all_scopes);
    BOOST_REQUIRE(keys.admin.revoke(revoked.key.id).has_value());
    const auto confined = keys.make("confined", auth::all_scopes,
                                    [](auth::api_key& it) { it.networks = {"10.0.0.0/8"}; });
    const auto soon = keys.make("soon", auth::all_scopes);
    const auto next = keys.admin.rotate(soon.key.id, std::chrono::seconds(1), "test").value();
    keys.clock.advance(std::chrono::seconds(2));
    keys.refresh();
    unsigned from = 1;  // failures of one address are limited
    for (const std::string& key :
         {expired.text, revoked.text, confined.text, soon.text, auth::make_key("test"),
          next.text.substr(0, next.text.size() - 1), std::string("x")}) {
        principal_row it =
            nobody_from("a key that does not count", "192.0.2." + std::to_string(from++));
        it.key = key;
        it.broken = true;
        check(it);
    }
    check({"the one that came in its place", next.text, auth::all_scopes});
}

BOOST_AUTO_TEST_CASE(a_bound_principal_sees_nothing_of_the_work_by_any_route) {
    const std::string all = add("all", {scope::orders_read, scope::orders_write, scope::operate});
    const std::string mine = add("mine", {scope::orders_read, scope::orders_write}, bind_to_42);
    BOOST_REQUIRE(create_with(all, "A", 42).status == 201);
    const claimed_order claimed = claim_one();
    const std::string attempt =
        "/orders/A/attempts/" + tokens.make({"A", claimed.lease, claimed.value.status, 1});
    BOOST_REQUIRE(with(all, "POST", attempt, R"({"fail":{"reason":"till-9 burns"}})").status ==
                  200);
    std::size_t asked = 0;
    for (const route& it : routes()) {
        const about& known = routes_by_hand().at(std::string(it.name));
        if (known.sees[0] == '\0') continue;
        BOOST_TEST_CONTEXT(known.sees) {
            const answer whole = with(all, it.method, known.sees);
            BOOST_TEST(whole.says("till-9 burns"));
            const answer got = with(mine, it.method, known.sees);
            BOOST_TEST(got.status == 200);
            BOOST_TEST(got.says("\"A\""));
            // The reason, the worker ("w"), and who did what.
            for (const char* secret : {"till-9", R"("actor":"w")", "key:all", "key:mine"}) {
                BOOST_TEST(!got.says(secret), secret);
            }
            ++asked;
        }
    }
    BOOST_TEST(asked == 5U);
    // What answers a change, and what refuses it.
    const std::string patch = R"({"annotations":{"seen":true}})";
    const answer noted = with(mine, "PATCH", "/orders/A/annotations", patch);
    BOOST_TEST(noted.status == 200);
    BOOST_TEST(!noted.says("till-9"));
    const std::string body = R"({"user_id":42,"item_ids":[1],"total_amount":2})";
    for (const auto& [method, target, sent] :
         {std::tuple{"PUT", "/orders/A", body}, std::tuple{"PATCH", "/orders/A", body},
          std::tuple{"POST", "/orders/A/cancel", std::string()},
          std::tuple{"POST", "/orders/A/transitions", std::string(R"({"event":"cancel"})")},
          std::tuple{"POST", "/orders", R"({"order_id":"A",)" + body.substr(1)},
          std::tuple{"POST", attempt.c_str(), std::string(R"({"advance":{}})")}}) {
        const answer refused = with(mine, method, target, sent);
        BOOST_TEST(refused.status == 409, method << ' ' << target);
        BOOST_TEST(!refused.says("till-9"), method << ' ' << target);
    }
}

// Whatever the request was, the journal's actor is who asked. Changes of webhook endpoints and
// pauses are no entries of the journal: their audit records name who asked (api_webhooks_test.cpp,
// api_operate_test.cpp).
BOOST_AUTO_TEST_CASE(the_actor_is_the_principal) {
    const std::string all = add("web-shop", auth::all_scopes);
    const std::string body = R"({"user_id":42,"item_ids":[1],"total_amount":2})";
    const auto actor_of = [&](const std::string& id) {
        const std::string history = with(all, "GET", "/orders/" + id + "/history").body;
        const std::size_t at = history.rfind(R"("actor":)") + 8;
        return history.substr(at, history.find(',', at) - at);
    };
    const auto create = [&](const std::string& id) {
        return with(all, "POST", "/orders", R"({"order_id":")" + id + R"(",)" + body.substr(1));
    };
    std::size_t named = 0;
    const auto done = [&](const char* route, const std::string& id, const answer& got) {
        BOOST_TEST(got.status < 300, route << ": " << got.body);
        BOOST_TEST(actor_of(id) == R"("key:web-shop")", route);
        BOOST_TEST(routes_by_hand().count(route) == 1U);
        ++named;
    };
    done("create_order", "A", create("A"));
    done("create_orders", "B",
         with(all, "POST", "/orders/batch", R"([{"order_id":"B",)" + body.substr(1) + "]"));
    done("replace_order", "A", with(all, "PUT", "/orders/A", body));
    done("patch_order", "A", with(all, "PATCH", "/orders/A", R"({"total_amount":3})"));
    done("annotate_order", "A",
         with(all, "PATCH", "/orders/A/annotations", R"({"annotations":{"a":1}})"));
    done("cancel_order", "A", with(all, "POST", "/orders/A/cancel"));
    done("redact_order", "A", with(all, "POST", "/orders/A/redact"));
    done("raise_transition", "B",
         with(all, "POST", "/orders/B/transitions", R"({"event":"cancel","reason":"twice"})"));
    done("delete_order", "B", with(all, "DELETE", "/orders/B"));
    BOOST_REQUIRE(create("C").status == 201);
    const claimed_order claimed = claim_one();
    done("answer_attempt", "C",
         with(all, "POST",
              "/orders/C/attempts/" + tokens.make({"C", claimed.lease, claimed.value.status, 1}),
              R"({"fail":{"reason":"x"}})"));
    done("retry_order", "C", with(all, "POST", "/orders/C/retry"));
    const auto all_routes = routes();
    BOOST_TEST(named == static_cast<std::size_t>(std::count_if(
                            all_routes.begin(), all_routes.end(), [](const route& it) {
                                const auth::scope_set& needs = it.needs.any_of;
                                return it.method != "GET" && !needs.has(scope::webhooks) &&
                                       needs != auth::scope_set{scope::operate};
                            })));
}

// No redaction is acknowledged without its audit record; the repetition of one makes no other.
BOOST_AUTO_TEST_CASE(a_redaction_is_audited) {
    const std::string all = add("web-shop", auth::all_scopes);
    BOOST_REQUIRE(create_with(all, "A", 1).status == 201);
    BOOST_TEST(with(all, "POST", "/orders/A/redact").status == 409);  // not settled
    BOOST_REQUIRE(with(all, "POST", "/orders/A/cancel").status == 200);
    const http::field key{"Idempotency-Key", "once"};
    BOOST_TEST(with(all, "POST", "/orders/A/redact", "", {key}).status == 200);
    BOOST_TEST(with(all, "POST", "/orders/A/redact", "", {key})
                   .find("Idempotency-Replayed")
                   .value_or("") == "true");
    const auto found = auth::list_audit(*store.connect_reader().value());
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE(found->size() == 1U);
    BOOST_TEST(found->front().action == "order.redact");
    BOOST_TEST(found->front().actor == "key:web-shop");
    BOOST_TEST(found->front().about == "A, version 3");
    BOOST_TEST((found->front().at == time.now()));
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

struct guarded_shop : guarded {
    guarded_shop() : guarded(shop_model(), shop_document()) {}
};

void bind_to_north(auth::api_key& it) {
    it.tenant = "north";
}

}  // namespace

// Of tenants: what another one's order is called, or has, is not told.
BOOST_FIXTURE_TEST_CASE(a_tenants_key_sees_its_tenant_alone, guarded_shop) {
    const std::string all = add("all", {scope::orders_read, scope::orders_write});
    const std::string north =
        add("north", {scope::orders_read, scope::orders_write}, bind_to_north);
    const auto draft = [](const char* id, const char* tenant, const char* reference,
                          const char* user) {
        return std::string(R"({"order_id":")") + id + R"(","user_id":")" + user +
               R"(","lines":[{"sku":"TEA","quantity":2,"unit_amount":5.50}],"total_amount":12.00,)"
               R"("attributes":{"tax":1.00,"reference":")" +
               reference + R"("},"tenant":")" + tenant + R"("})";
    };
    BOOST_REQUIRE(with(all, "POST", "/orders", draft("S-1", "south", "ref-1", "1")).status == 201);
    BOOST_REQUIRE(with(all, "POST", "/orders", draft("N-1", "north", "ref-1", "1")).status == 201);
    BOOST_TEST(with(north, "POST", "/orders", draft("S-2", "south", "ref-2", "1")).status == 422);
    for (const char* target : {"/orders/S-1", "/orders/S-1/history"}) {
        BOOST_TEST(with(north, "GET", target).status == 404, target);
    }
    for (const char* target : {"/orders", "/journal", "/orders?attribute.reference=ref-1"}) {
        const answer got = with(north, "GET", target);
        BOOST_TEST(got.says("N-1"), target);
        BOOST_TEST(!got.says("S-1"), target);
    }
    BOOST_TEST(with(north, "GET", "/orders?tenant=south").status == 400);
    // A value that is taken: by an order of one's own, or by one that one may not see.
    const std::string mine = add("mine", {scope::orders_read, scope::orders_write},
                                 [](auth::api_key& it) { it.user = "2"; });
    const answer told = with(north, "POST", "/orders", draft("N-2", "north", "ref-1", "2"));
    BOOST_TEST(told.status == 409);
    BOOST_TEST(told.says(R"("order_id":"N-1")"));
    const answer hidden = with(mine, "POST", "/orders", draft("N-2", "north", "ref-1", "2"));
    BOOST_TEST(hidden.status == 409);
    BOOST_TEST(!hidden.says("N-1"));
}
