// Orders of a model of one's own.

#include "api/event_stream.hpp"
#include "shop_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

BOOST_FIXTURE_TEST_SUITE(api_model, shop_fixture)

BOOST_AUTO_TEST_CASE(an_order_is_shown_as_it_was_sent) {
    const answer made = post("R-1", R"("rank":-3)", R"("order_id":"A-1","annotations":{"a":1})");
    BOOST_TEST(made.status == 201);
    BOOST_TEST(made.find("Location").value() == "orders/A-1");
    BOOST_TEST(made.says(R"("order_id":"A-1","user_id":"17","lines":[{"sku":"TEA","quantity":2,)"
                         R"("unit_amount":5.50}],"total_amount":12.00,"currency":"USD",)"
                         R"("metadata":{},"tenant":"north","attributes":{"channel":"web",)"
                         R"("rank":-3,"reference":"R-1","tax":1.00},"annotations":{"a":1},)"));
    BOOST_TEST(get("/orders/A-1").body == made.body);
    BOOST_TEST(get("/orders/A-1?at=2999-01-01T00:00:00Z").body == made.body);
    BOOST_TEST(get("/orders").says(made.body));
    BOOST_TEST(get("/orders/A-1/history").says(made.body));
    BOOST_TEST(get("/journal").says(made.body));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_has_a_pointer) {
    const answer one = post("R 1", R"("rank":101,"colour":1)");
    BOOST_TEST(one.status == 422);
    BOOST_TEST(one.says(R"({"pointer":"#/attributes/reference","code":"unsupported_character")"));
    BOOST_TEST(one.says(R"({"pointer":"#/attributes/rank","code":"out_of_range")"));
    BOOST_TEST(one.says(R"({"pointer":"#/attributes/colour","code":"unknown_field")"));
    const answer many = ask("POST", "/orders/batch", "[" + draft("R-1") + "," + draft("") + "]");
    BOOST_TEST(many.says(R"({"items":[{"status":201,"order":{"id":1,)"));
    BOOST_TEST(many.says(R"("errors":[{"pointer":"#/attributes/reference","code":"out_of_range")"));
}

BOOST_AUTO_TEST_CASE(its_own_print_changes_nothing) {
    const answer made = post("R-1", R"("email":"a@b","gift":true)",
                             R"("order_id":"a/b \u00e9","annotations":{"a":1})");
    const std::string path = "/orders/a%2Fb%20%C3%A9";
    const auto content = [](const answer& of) {
        return of.body.substr(0, of.body.find(R"(,"version":)"));
    };
    const answer put = ask("PUT", path, made.body);
    BOOST_TEST(put.status == 200);
    BOOST_TEST(content(put) == content(made));
    const answer patched = ask("PATCH", path, put.body);
    BOOST_TEST(patched.status == 200);
    BOOST_TEST(content(patched) == content(made));
    BOOST_TEST(patched.says(R"("version":3)"));
}

BOOST_AUTO_TEST_CASE(what_never_changes) {
    post("R-1", {}, R"("order_id":"A-1")");
    const answer other = ask("PUT", "/orders/A-1", draft("R-2"));
    BOOST_TEST(other.status == 422);
    BOOST_TEST(other.says(R"({"pointer":"#/attributes/reference","code":"read_only")"));
    const answer tenant = ask("PATCH", "/orders/A-1", R"({"tenant":"south"})");
    BOOST_TEST(tenant.says(R"({"pointer":"#/tenant","code":"read_only")"));
    BOOST_TEST(ask("PATCH", "/orders/A-1", R"({"attributes":{"rank":1}})").status == 200);
    BOOST_TEST(get("/orders/A-1").says(R"("rank":1,"reference":"R-1")"));
}

BOOST_AUTO_TEST_CASE(an_id_of_any_form_has_two_paths) {
    const answer made = post("R-1", {}, R"("order_id":"a/b \u00e9")");
    const std::string path = "/" + made.find("Location").value();
    BOOST_TEST(path == "/orders/~YS9iIMOp");
    BOOST_TEST(get(path).body == made.body);
    BOOST_TEST(get("/orders/%7EYS9iIMOp").body == made.body);
    BOOST_TEST(get("/orders/a%2Fb%20%C3%A9").body == made.body);
    BOOST_TEST(get("/orders/a%2fb%20%c3%a9").body == made.body);
    BOOST_TEST(get("/orders/a/b").status == 404);
    BOOST_TEST(get("/orders/~YS9iIMOq").status == 404);  // another id
    BOOST_TEST(get("/orders/~YS9iIMO").status == 404);   // not what is made of any bytes
    BOOST_TEST(get("/orders/~").status == 404);
    BOOST_TEST(get("/orders/~YS9iIMOp=").status == 404);
    BOOST_TEST(get(path + "/history").says(R"("event":"create")"));
    const answer again = post("R-2", {}, R"("order_id":"a/b \u00e9")");
    BOOST_TEST(again.says("GET /orders/~YS9iIMOp shows it"));
    // A plain id has the other path as well.
    post("R-3", {}, R"("order_id":"A-1")");
    BOOST_TEST(get("/orders/~QS0x").says(R"("order_id":"A-1")"));
}

BOOST_AUTO_TEST_CASE(a_key_is_of_the_order_whichever_way_its_path_names_it) {
    post("R-1", {}, R"("order_id":"a/b")");
    const answer first = ask("POST", "/orders/a%2Fb/cancel", {}, {{"Idempotency-Key", "k"}});
    BOOST_TEST(first.status == 200);
    const answer second = ask("POST", "/orders/~YS9i/cancel", {}, {{"Idempotency-Key", "k"}});
    BOOST_TEST(second.find("Idempotency-Replayed").has_value());
    BOOST_TEST(second.body == first.body);
}

BOOST_AUTO_TEST_CASE(a_list_of_one_id) {
    const answer made = post("R-1", {}, R"("order_id":"a/b")");
    post("R-2", {}, R"("order_id":"a/bc")");
    BOOST_TEST(get("/orders?order_id=a%2Fb").body ==
               R"({"items":[)" + made.body + R"(],"next_cursor":null})");
    BOOST_TEST(references(get("/orders?order_id=a%2Fb&status=pending&tenant=north")) == "R-1");
    BOOST_TEST(references(get("/orders?order_id=a%2Fb&status=failed")).empty());
    BOOST_TEST(references(get("/orders?order_id=a%2Fb&tenant=south")).empty());
    BOOST_TEST(references(get("/orders/status/pending?order_id=a%2Fb")) == "R-1");
    BOOST_TEST(references(get("/orders?order_id=a")).empty());
    BOOST_TEST(get("/orders?order_id=~a").status == 400);
    for (const char* other : {"limit=1", "sort=order_id", "cursor=x", "total=true",
                              "attribute.rank=1", "updated_from=2026-06-15T00:00:00Z"}) {
        const answer refused = get("/orders?order_id=a&" + std::string(other));
        BOOST_TEST(refused.status == 400, other);
        BOOST_TEST(refused.says("does not go with order_id"), other);
    }
}

BOOST_AUTO_TEST_CASE(users_and_tenants_are_filters) {
    post("R-1");
    post("R-2", {}, R"("order_id":"A-2","user_id":null)");
    std::string other = draft("R-3");
    other.replace(other.find("north"), 5, "south");
    BOOST_TEST(ask("POST", "/orders", other).status == 201);
    BOOST_TEST(references(get("/orders?user_id=17&sort=created_at")) == "R-1 R-3");
    BOOST_TEST(references(get("/orders?user_id=")) == "R-2");
    BOOST_TEST(references(get("/orders?tenant=south")) == "R-3");
    BOOST_TEST(references(get("/orders?tenant=north&user_id=17")) == "R-1");
    BOOST_TEST(get("/orders?tenant=").status == 400);
    BOOST_TEST(get("/orders?tenant=a&tenant=b").status == 400);
    BOOST_TEST(references(get("/journal?tenant=south")) == "R-3");
    BOOST_TEST(references(get("/journal?user_id=17&tenant=north")) == "R-1");
}

BOOST_AUTO_TEST_CASE(the_live_feed_shows_them) {
    const answer made = post("R-1", {}, R"("order_id":"a\"b")");
    const auto page =
        direct.use([](repository_reader& from) { return from.read_feed(feed_params{}); });
    std::string text;
    event_feed("/shop", shop_model()).encode(page.value().entries.at(0), text);
    BOOST_TEST(text.find(R"("subject":"a\"b")") != text.npos);
    BOOST_TEST(text.find(R"("order":)" + made.body) != text.npos);
}

BOOST_AUTO_TEST_CASE(work_begins_later) {
    const answer made = post("R-1", {}, R"("not_before":"2026-06-16T00:00:00+02:00")");
    BOOST_TEST(made.status == 201);
    BOOST_TEST(made.says(R"("next_attempt_at":"2026-06-15T22:00:00.000Z")"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(api_standard_model, api_fixture)

// What every model has.
BOOST_AUTO_TEST_CASE(annotations_and_a_beginning) {
    const answer made = ask("POST", "/orders",
                            R"({"order_id":"A-1","user_id":1,"item_ids":[1],"total_amount":1,)"
                            R"("annotations":{"a":1},"not_before":"2026-06-15T22:00:00Z"})");
    BOOST_TEST(made.says(R"("metadata":{},"annotations":{"a":1},"status":"PENDING")"));
    BOOST_TEST(made.says(R"("next_attempt_at":"2026-06-15T22:00:00.000Z")"));
    const answer other = ask("PATCH", "/orders/A-1/annotations", R"({"annotations":{"b":2}})");
    BOOST_TEST(other.says(R"("annotations":{"a":1,"b":2})"));
    const answer edited =
        ask("PUT", "/orders/A-1", R"({"user_id":2,"item_ids":[2],"total_amount":2})");
    BOOST_TEST(edited.says(R"("annotations":{"a":1,"b":2})"));
}

BOOST_AUTO_TEST_CASE(what_it_does_not_have) {
    create("A-1");
    for (const char* query : {"tenant=a", "attribute.rank=1", "sort=attribute.rank", "user_id="}) {
        BOOST_TEST(get("/orders?" + std::string(query)).status == 400, query);
    }
    BOOST_TEST(get("/journal?tenant=a").status == 400);
    BOOST_TEST(ask("PATCH", "/orders/A-1/annotations", R"({"attributes":{}})").status == 422);
    BOOST_TEST(ask("POST", "/orders",
                   R"({"order_id":"a b","user_id":1,"item_ids":[1],)"
                   R"("total_amount":1})")
                   .status == 422);
    BOOST_TEST(get("/orders/~QS0x").says(R"("order_id":"A-1")"));
}

BOOST_AUTO_TEST_SUITE_END()
