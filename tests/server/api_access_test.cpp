// Who may do what: each principal with each route, and what those get to see who are bound.

#include "api_fixture.hpp"
#include "auth_fixture.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using auth::scope;

namespace {

struct guarded : api_fixture {
    guarded() {
        served = &guarded_service;
        keys.refresh();
    }

    // A key, and with it what follows is asked.
    std::string add(std::string name, auth::scope_set scopes,
                    void (*change)(auth::api_key&) = nullptr) {
        auto made = keys.make(std::move(name), scopes, change);
        keys.refresh();
        return made.text;
    }
    answer with(const std::string& key, std::string_view method, std::string_view target,
                std::string_view body = {}, std::vector<http::field> more = {}) {
        const std::string value = "Bearer " + key;
        std::vector<http::field> fields = std::move(more);
        if (!key.empty()) fields.push_back({"Authorization", value});
        if (!body.empty()) fields.push_back({"Content-Type", "application/json"});
        return ask(method, target, body, std::move(fields));
    }
    answer create_with(const std::string& key, std::string_view id, int user,
                       std::vector<http::field> more = {}) {
        return with(key, "POST", "/orders",
                    R"({"order_id":")" + std::string(id) + R"(","user_id":)" +
                        std::to_string(user) + R"(,"item_ids":[1],"total_amount":1.5})",
                    std::move(more));
    }

    auth_fixture keys;
    auth::authenticator judge{&keys.table, {}, 7};
    bool healthy = true;
    api guarded_handlers{orders, reads, [this] {
                             api_parts out;
                             out.auth = &judge;
                             out.unhealthy = [this] {
                                 std::vector<health_reason> why;
                                 if (healthy) return why;
                                 why.push_back({health_codes::storage_unreadable, "secret path"});
                                 return why;
                             };
                             return out;
                         }()};
    api_service guarded_service{guarded_handlers};
};

void bind_to_42(auth::api_key& it) {
    it.user = "42";
}

// A request to a route that gets past the question of who asks.
struct sample {
    std::string target, body;
};
sample sample_of(const route& it) {
    sample out;
    out.target = std::regex_replace(std::string(it.pattern), std::regex("[{]status[}]"), "PENDING");
    out.target = std::regex_replace(out.target, std::regex("[{]file[}]"), "style.css");
    out.target = std::regex_replace(out.target, std::regex("[{][a-z_]+[}]"), "NONE-1");
    if (it.name == "annotate_order") out.body = "{}";
    if (it.name == "raise_transition") out.body = R"({"event":"cancel"})";
    return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(access_control, guarded)

BOOST_AUTO_TEST_CASE(every_route_says_who_may_ask) {
    for (const route& it : routes()) {
        BOOST_TEST(it.needs.stated, it.method << ' ' << it.pattern << " has no scope");
    }
}

// What each route needs, once more and by hand.
BOOST_AUTO_TEST_CASE(principals_and_routes) {
    const std::map<std::string, std::string> needs{{"create_order", "orders:write"},
                                                   {"create_orders", "orders:write"},
                                                   {"list_orders", "orders:read"},
                                                   {"get_order", "orders:read"},
                                                   {"replace_order", "orders:write"},
                                                   {"patch_order", "orders:write"},
                                                   {"annotate_order", "orders:write"},
                                                   {"redact_order", "erase"},
                                                   {"get_model", "orders:read"},
                                                   {"get_history", "orders:read"},
                                                   {"delete_order", "orders:write"},
                                                   {"cancel_order", "orders:write"},
                                                   {"retry_order", "operate"},
                                                   {"raise_transition", "orders:write"},
                                                   {"list_orders_by_status", "orders:read"},
                                                   {"stream_events", "orders:read"},
                                                   {"stream_order_events", "orders:read"},
                                                   {"get_journal", "orders:read"},
                                                   {"create_webhook", "webhooks"},
                                                   {"list_webhooks", "webhooks"},
                                                   {"get_webhook", "webhooks"},
                                                   {"patch_webhook", "webhooks"},
                                                   {"delete_webhook", "webhooks"},
                                                   {"test_webhook", "webhooks"},
                                                   {"rotate_webhook", "webhooks"},
                                                   {"pause_webhook", "webhooks"},
                                                   {"resume_webhook", "webhooks"},
                                                   {"replay_webhook", "webhooks"},
                                                   {"list_webhook_attempts", "webhooks"},
                                                   {"get_metrics", "metrics"},
                                                   {"get_health", ""},
                                                   {"get_readiness", ""},
                                                   {"get_openapi", ""},
                                                   {"get_docs", ""},
                                                   {"get_docs_file", ""},
                                                   {"get_root", ""}};
    std::map<std::string, std::string> texts;
    for (const scope it :
         auth::scopes_in({scope::orders_read, scope::orders_write, scope::read, scope::webhooks,
                          scope::operate, scope::erase, scope::metrics})) {
        std::string name(to_string(it));
        std::replace(name.begin(), name.end(), ':', '-');
        texts.emplace(to_string(it), add(name, {it}));
    }
    const std::string wrong = auth::make_key("test");
    for (const route& it : routes()) {
        const auto found = needs.find(std::string(it.name));
        BOOST_REQUIRE_MESSAGE(found != needs.end(), it.name << " is new: who may ask?");
        const sample what = sample_of(it);
        for (const auto& [held, text] : texts) {
            BOOST_TEST_CONTEXT(held << ": " << it.method << ' ' << what.target) {
                const answer got = with(text, it.method, what.target, what.body);
                const bool may = found->second.empty() || found->second == held;
                BOOST_TEST(got.status != 401);
                BOOST_TEST((got.status == 403) == !may);
                if (may) continue;
                BOOST_TEST(got.says("\"code\":\"forbidden\""));
                BOOST_TEST(got.says(found->second));
                BOOST_TEST(!got.find("WWW-Authenticate"));
            }
        }
        for (const std::string& text : {std::string(), wrong}) {
            BOOST_TEST_CONTEXT("nobody: " << it.method << ' ' << what.target) {
                const answer got = with(text, it.method, what.target, what.body);
                BOOST_TEST((got.status == 401) == !found->second.empty());
                if (found->second.empty()) continue;
                BOOST_TEST(got.says("\"code\":\"unauthenticated\""));
                BOOST_TEST(!got.says("detail"));
                BOOST_TEST(got.find("WWW-Authenticate").value_or("") ==
                           (text.empty() ? R"(Bearer realm="orderproc")"
                                         : R"(Bearer realm="orderproc", error="invalid_token")"));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(without_a_key_this_machine_may_what_developers_do) {
    for (const route& it : routes()) {
        const sample what = sample_of(it);
        const answer got = ask(it.method, what.target, what.body);
        BOOST_TEST(got.status != 401, it.name);
        BOOST_TEST((got.status == 403) == (it.name == "redact_order"), it.name);
    }
    peer = address("192.0.2.1");
    for (const route& it : routes()) {
        const sample what = sample_of(it);
        BOOST_TEST((ask(it.method, what.target, what.body).status == 401) == !it.needs.open(),
                   it.name);
    }
}

// Each event of the machine names the scope that raises it.
BOOST_AUTO_TEST_CASE(events_need_the_scope_that_the_machine_names) {
    const std::string writes = add("writes", {scope::orders_write, scope::orders_read});
    const std::string operates = add("operates", {scope::operate});
    BOOST_REQUIRE(create_with(writes, "A", 1).status == 201);
    const auto raise_with = [&](const std::string& key, const char* event) {
        return with(key, "POST", "/orders/A/transitions",
                    R"({"event":")" + std::string(event) + R"("})");
    };
    for (const bool by_path : {false, true}) {
        const auto raise_it = [&](const std::string& key, const char* event) {
            return by_path ? with(key, "POST", "/orders/A/" + std::string(event))
                           : raise_with(key, event);
        };
        BOOST_TEST(raise_it(writes, "retry").status == 403);
        BOOST_TEST(raise_it(writes, "retry").says("the scope operate"));
        BOOST_TEST(raise_it(operates, "cancel").status == 403);
        BOOST_TEST(raise_it(operates, "cancel").says("the scope orders:write"));
        BOOST_TEST(raise_it(operates, "retry").status == 200);
    }
    BOOST_TEST(raise_with(writes, "cancel").status == 200);
}

BOOST_AUTO_TEST_CASE(a_credential_in_the_url_is_refused_and_not_repeated) {
    const std::string key = add("reads", {scope::orders_read});
    for (const std::string& query : {"key=" + key, "x=" + key, std::string("access_token=abc")}) {
        const answer got = with(key, "GET", "/orders?" + query);
        BOOST_TEST(got.status == 400);
        BOOST_TEST(got.says("\"code\":\"bad_request\""));
        BOOST_TEST(!got.says(key));
    }
}

// Row 6 of the attacks: somebody else's order is not there, by whatever way it is asked for.
BOOST_AUTO_TEST_CASE(another_ones_order_is_not_there) {
    const std::string all = add("all", {scope::orders_read, scope::orders_write});
    const std::string mine = add("mine", {scope::orders_read, scope::orders_write}, bind_to_42);
    BOOST_REQUIRE(create_with(all, "OTHER", 7).status == 201);
    BOOST_REQUIRE(create_with(mine, "MINE", 42).status == 201);
    const std::string body = R"({"user_id":42,"item_ids":[1],"total_amount":2})";
    const std::string at = "?at=2999-01-01T00:00:00Z";
    const struct {
        const char* method;
        std::string tail, body;
    } rows[] = {{"GET", "", ""},
                {"GET", at, ""},
                {"GET", "/history", ""},
                {"PUT", "", body},
                {"PATCH", "", "{}"},
                {"PATCH", "", body},
                {"DELETE", "", ""},
                {"POST", "/cancel", ""},
                {"GET", "/history?after=1", ""},
                {"POST", "/transitions", R"({"event":"cancel"})"}};
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.method << ' ' << row.tail << ' ' << row.body) {
            const answer other = with(mine, row.method, "/orders/OTHER" + row.tail, row.body);
            const answer none = with(mine, row.method, "/orders/NONE" + row.tail, row.body);
            BOOST_TEST(other.status == 404);
            BOOST_TEST(std::regex_replace(other.body, std::regex("OTHER"), "NONE") == none.body);
            for (const char* key : {"k1", "k2"}) {  // nor with an idempotency key
                const http::field field{"Idempotency-Key", key};
                BOOST_TEST(
                    with(mine, row.method, "/orders/OTHER" + row.tail, row.body, {field}).status ==
                    404);
            }
        }
    }
    BOOST_TEST(!with(mine, "GET", "/orders").says("OTHER"));
    BOOST_TEST(with(mine, "GET", "/orders").says("MINE"));
    BOOST_TEST(!with(mine, "GET", "/orders/status/pending").says("OTHER"));
    BOOST_TEST(!with(mine, "GET", "/orders?updated_from=2000-01-01T00:00:00Z").says("OTHER"));
    BOOST_TEST(!with(mine, "GET", "/orders?order_id_prefix=O").says("OTHER"));
    BOOST_TEST(!with(mine, "GET", "/journal").says("OTHER"));
    BOOST_TEST(with(mine, "GET", "/journal").says("MINE"));
    BOOST_TEST(with(mine, "GET", "/orders?user_id=7").status == 400);
    BOOST_TEST(with(all, "GET", "/orders/OTHER").status == 200);
}

BOOST_AUTO_TEST_CASE(a_bound_key_makes_its_own_orders_alone) {
    const std::string all = add("all", {scope::orders_read, scope::orders_write});
    const std::string mine = add("mine", {scope::orders_read, scope::orders_write}, bind_to_42);
    BOOST_REQUIRE(create_with(all, "OTHER", 7).status == 201);
    BOOST_TEST(create_with(mine, "A", 7).status == 422);
    // That an id is taken has to be said; by what, is not.
    const answer taken = create_with(mine, "OTHER", 42);
    BOOST_TEST(taken.status == 409);
    BOOST_TEST(!taken.says("GET /orders/OTHER"));
    BOOST_TEST(create_with(all, "OTHER", 42).says("GET /orders/OTHER"));
    const answer batch = with(mine, "POST", "/orders/batch",
                              R"([{"order_id":"B","user_id":7,"item_ids":[1],"total_amount":1},)"
                              R"({"order_id":"C","user_id":42,"item_ids":[1],"total_amount":1},)"
                              R"({"order_id":"OTHER","user_id":42,"item_ids":[1],)"
                              R"("total_amount":1}])");
    BOOST_TEST(batch.says("{\"items\":[{\"status\":422"));
    BOOST_TEST(batch.says("{\"status\":201"));
    BOOST_TEST(batch.says("{\"status\":409"));
    BOOST_TEST(!batch.says("GET /orders/OTHER"));
    BOOST_TEST(with(mine, "PATCH", "/orders/C", R"({"user_id":7})").status == 422);
}

// Rows 7 and 8 of the attacks.
BOOST_AUTO_TEST_CASE(idempotency_keys_and_cursors_are_ones_own) {
    const std::string a = add("a", {scope::orders_read, scope::orders_write});
    const std::string b = add("b", {scope::orders_read, scope::orders_write});
    const std::string body = R"({"user_id":42,"item_ids":[1],"total_amount":2})";
    const http::field key{"Idempotency-Key", "same"};
    const answer first = with(a, "POST", "/orders", body, {key});
    const answer second = with(b, "POST", "/orders", body, {key});
    BOOST_TEST(first.status == 201);
    BOOST_TEST(second.status == 201);
    BOOST_TEST(!second.find("Idempotency-Replayed"));
    BOOST_TEST((first.find("Location") != second.find("Location")));
    const answer again = with(a, "POST", "/orders", body, {key});
    BOOST_TEST(again.find("Idempotency-Replayed").value_or("") == "true");
    BOOST_TEST((first.find("Location") == again.find("Location")));

    const std::string bound =
        add("c", {scope::orders_read}, [](auth::api_key& it) { it.user = "7"; });
    const std::string page = with(a, "GET", "/orders?limit=1").body;
    std::smatch cursor;
    BOOST_REQUIRE(std::regex_search(page, cursor, std::regex(R"re("next_cursor":"([^"]+)")re")));
    BOOST_TEST(with(bound, "GET", "/orders?limit=1&cursor=" + cursor[1].str()).status == 400);
}

// A retry after a rotation is a replay.
BOOST_AUTO_TEST_CASE(a_rotation_keeps_idempotency_and_actor) {
    auto made = keys.make("web-shop", {scope::orders_read, scope::orders_write});
    auto rotated = keys.admin.rotate(made.key.id, std::chrono::hours(1), "test").value();
    keys.refresh();
    const std::string body = R"({"user_id":42,"item_ids":[1],"total_amount":2})";
    const http::field key{"Idempotency-Key", "same"};
    const answer first = with(made.text, "POST", "/orders", body, {key});
    const answer again = with(rotated.text, "POST", "/orders", body, {key});
    BOOST_TEST(again.find("Idempotency-Replayed").value_or("") == "true");
    BOOST_TEST((first.find("Location") == again.find("Location")));
    const std::string order = "/" + first.find("Location").value_or("");
    BOOST_TEST(with(rotated.text, "POST", order + "/cancel").status == 200);
    const answer history = with(made.text, "GET", order + "/history");
    const std::regex actor(R"("actor":"key:web-shop")");
    BOOST_TEST(std::distance(std::sregex_iterator(history.body.begin(), history.body.end(), actor),
                             {}) == 2);
}

BOOST_AUTO_TEST_CASE(a_bound_key_sees_nothing_of_how_orders_are_worked_on) {
    const std::string all = add("all", {scope::orders_read, scope::orders_write});
    const std::string mine = add("mine", {scope::orders_read, scope::orders_write}, bind_to_42);
    BOOST_REQUIRE(create_with(mine, "A", 42).status == 201);
    const claimed_order claimed = claim_one();
    const char* const secret = "worker till-9 burns";
    transition_order to_failed;
    to_failed.to = "FAILED";
    to_failed.reason = secret;
    to_failed.last_error = secret;
    to_failed.settles = true;
    change failed;
    failed.order = "A";
    failed.event = "fail";
    failed.action = to_failed;
    failed.from = orders.machine().find("fail")->from;
    failed.lease = claimed.lease;
    struct : completion {
        void complete(change_outcome& it) noexcept override { ec = it.ec; }
        error_code ec;
    } done;
    BOOST_REQUIRE(orders.submit(failed, done).has_value());
    BOOST_REQUIRE(orders.run_once().has_value());
    BOOST_REQUIRE(!done.ec);
    for (const char* target :
         {"/orders/A", "/orders/A?at=2999-01-01T00:00:00Z", "/orders/A/history", "/orders",
          "/orders?updated_from=2000-01-01T00:00:00Z", "/orders/status/failed", "/journal"}) {
        BOOST_TEST(with(all, "GET", target).says(secret), target);
        const answer got = with(mine, "GET", target);
        BOOST_TEST(got.status == 200, target);
        BOOST_TEST(got.says("FAILED"), target);
        BOOST_TEST(!got.says(secret), target);
        BOOST_TEST(!got.says("key:mine"), target);
    }
    // What answers a change is concealed as well.
    const answer refused = with(mine, "POST", "/orders/A/cancel");
    BOOST_TEST(refused.status == 409);
    BOOST_TEST(!refused.says(secret));
    BOOST_TEST(with(mine, "GET", "/orders?total=true").status == 400);
    BOOST_TEST(with(all, "GET", "/orders?total=true").status == 200);
    for (const char* target : {"/metrics", "/orders/A/retry"}) {
        BOOST_TEST(with(mine, target[1] == 'm' ? "GET" : "POST", target).status == 403, target);
    }
}

BOOST_AUTO_TEST_CASE(health_tells_everybody_codes_and_some_the_reasons) {
    const std::string reads_all = add("ops", {scope::read});
    const std::string mine = add("mine", {scope::orders_read}, bind_to_42);
    BOOST_TEST(with("", "GET", "/healthz").body == R"({"status":"ok"})");
    healthy = false;
    const std::string codes = R"({"status":"unavailable","codes":["storage_unreadable"]})";
    for (const std::string& key : {std::string(), mine, auth::make_key("test")}) {
        const answer got = with(key, "GET", "/healthz");
        BOOST_TEST(got.status == 503);
        BOOST_TEST(got.body == codes);
    }
    BOOST_TEST(with(reads_all, "GET", "/healthz").says(R"("reasons":["secret path"])"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_checked_is_unavailable) {
    const std::string key = add("reads", {scope::orders_read});
    BOOST_TEST(with(key, "GET", "/orders").status == 200);
    keys.clock.advance(auth::key_table::stale_after + std::chrono::milliseconds(1));
    for (const std::string& it : {key, std::string()}) {
        const answer got = with(it, "GET", "/orders");
        BOOST_TEST(got.status == 503);
        BOOST_TEST(got.says("credentials_unavailable"));
        BOOST_TEST(got.find("Retry-After").has_value());
    }
    BOOST_TEST(with(key, "GET", "/healthz").status == 200);
    BOOST_TEST(with(key, "GET", "/openapi.json").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
