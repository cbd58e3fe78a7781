// Who may do what, and what those get to see who are bound. Each principal with each route is in
// api_matrix_test.cpp.

#include "guarded_fixture.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using auth::scope;

BOOST_FIXTURE_TEST_SUITE(access_control, guarded)

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

// Whichever machine it is, and whatever its events are called.
BOOST_AUTO_TEST_CASE(another_machine_names_other_scopes) {
    const std::vector<transition_rule> rules{{"OPEN", "cancel", "CANCELLED", true, "erase"},
                                             {"OPEN", "hold", "HELD", true, "operate"},
                                             {"HELD", "retry", "OPEN", true},
                                             {"HELD", "close", "CLOSED", true, "unknown"}};
    const auto machine = status_machine::build("OPEN", rules, {}).value();
    engine shop(store, machine, runtime{time, random, errors});
    api_parts parts;
    parts.auth = &judge;
    api shop_handlers(shop, reads, std::move(parts));
    api_service shop_service(shop_handlers);
    served = &shop_service;
    documented = false;  // as orders of the standard machine
    const std::string writes = add("writes", {scope::orders_write});
    const std::string operates = add("operates", {scope::operate});
    const std::string erases = add("erases", {scope::erase});
    BOOST_REQUIRE(create_with(writes, "A", 1).status == 201);
    const auto status_of = [&](const std::string& key, const std::string& event) {
        return with(key, "POST", "/orders/A/transitions", R"({"event":")" + event + R"("})").status;
    };
    for (const std::string& key : {writes, operates, erases}) {
        BOOST_TEST((status_of(key, "hold") == 200) == (key == operates));
        BOOST_TEST((status_of(key, "retry") == 200) == (key == writes));
        BOOST_TEST((with(key, "POST", "/orders/A/retry").status == 200) == (key == writes));
        BOOST_TEST(status_of(key, "close") == 403);
        BOOST_TEST((with(key, "POST", "/orders/A/cancel").status == 403) == (key != erases));
    }
    BOOST_TEST(with(writes, "POST", "/orders/A/cancel").says("the scope erase"));
    const std::string security = with(writes, "GET", "/openapi.json").body;
    BOOST_TEST(security.find("`cancel` needs `erase`, `hold` needs `operate`, `retry` needs "
                             "`orders:write`") != security.npos);
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

// A page may end at somebody else's order: its cursor says nothing, and any server goes on there.
BOOST_AUTO_TEST_CASE(a_bound_keys_cursor_is_sealed) {
    const std::string all = add("all", {scope::orders_read, scope::orders_write});
    const std::string mine = add("mine", {scope::orders_read}, bind_to_42);
    for (const char* id : {"A", "B", "C"}) BOOST_REQUIRE(create_with(all, id, 42).status == 201);
    const auto server_with = [&](const char* secret) {
        api_parts parts;
        parts.auth = &judge;
        parts.cursor_secret = std::string(cursor_seal::secret_size_min, *secret);
        return std::make_unique<api>(orders, reads, std::move(parts));
    };
    const auto one = server_with("x"), same = server_with("x"), other = server_with("y");
    api_service first(*one), next(*same), third(*other);
    const auto cursor_of = [](const answer& page) {
        std::smatch found;
        BOOST_REQUIRE(
            std::regex_search(page.body, found, std::regex(R"re("next_cursor":"([^"]+))re")));
        return found[1].str();
    };
    served = &first;
    for (const std::string list : {"/orders?limit=2", "/orders?limit=2&sort=order_id"}) {
        served = &first;
        const std::string cursor = "&cursor=" + cursor_of(with(mine, "GET", list));
        const std::string plain = "&cursor=" + cursor_of(with(all, "GET", list + "&user_id=42"));
        BOOST_TEST(plain.size() != cursor.size());
        BOOST_TEST(with(mine, "GET", list + plain).status == 400);
        served = &next;
        BOOST_TEST(with(mine, "GET", list + cursor).says(R"("next_cursor":null)"));
        served = &third;
        BOOST_TEST(with(mine, "GET", list + cursor).status == 400);
    }
    served = nullptr;
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

// Its scopes were good when the header came: what it wants is done long after, perhaps.
BOOST_AUTO_TEST_CASE(a_key_that_ends_meanwhile_changes_nothing) {
    const auto made = keys.make("shop", {scope::orders_read, scope::orders_write});
    keys.refresh();
    BOOST_REQUIRE(create_with(made.text, "A", 42).status == 201);
    meanwhile = [&] {  // the order is loaded
        BOOST_REQUIRE(keys.admin.revoke(made.key.id).has_value());
        keys.refresh();
    };
    const answer got = with(made.text, "PATCH", "/orders/A", R"({"item_ids":[7]})");
    BOOST_TEST(got.status == 401);
    BOOST_TEST(got.find("WWW-Authenticate").value_or("") ==
               R"(Bearer realm="orderproc", error="invalid_token")");
    const std::string reads_all = add("reads", {scope::orders_read});
    BOOST_TEST(with(reads_all, "GET", "/orders/A").says(R"("item_ids":[1])"));
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
