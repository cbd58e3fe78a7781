// What may change in every status, and what is erased.

#include "shop_fixture.hpp"

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct fixture : shop_fixture {
    fixture() { post("R-1", R"("email":"a@b")", R"("order_id":"A-1","metadata":{"who":"Ada"})"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_annotate, fixture)

BOOST_AUTO_TEST_CASE(annotations_change_while_an_order_is_worked_on) {
    const claimed_order work = claim_one();
    const answer got = annotate("A-1", R"({"annotations":{"seen":1},)"
                                       R"("attributes":{"tracking":"T-1","refunded":"1.50"}})");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(
        got.says(R"("refunded":1.50,"tax":1.00,"tracking":"T-1"},"annotations":{"seen":1})"));
    BOOST_TEST(got.says(R"("status":"PROCESSING","version":3,"attempts":1)"));
    BOOST_TEST(got.find("ETag").value() == "\"3\"");
    change done;
    done.order = "A-1";
    done.event = "complete";
    done.lease = work.lease;
    transition_order move;
    move.to = "COMPLETED";
    move.settles = true;
    done.action = move;
    struct : completion {
        void complete(change_outcome& it) noexcept override { ec = it.ec; }
        error_code ec;
    } outcome;
    BOOST_REQUIRE(orders.submit(std::move(done), outcome).has_value());
    BOOST_REQUIRE(orders.run_once().has_value());
    BOOST_TEST(!outcome.ec);  // the lease is as it was
    BOOST_TEST(annotate("A-1", R"({"annotations":{"seen":null,"b":2}})")
                   .says(R"("annotations":{"b":2},"status":"COMPLETED","version":5)"));
    BOOST_TEST(get("/orders/A-1/history").says(R"("event":"annotate","from":"PROCESSING")"));
    BOOST_TEST(get("/journal").says(R"("type":"orderproc.order.annotate.v1")"));
}

BOOST_AUTO_TEST_CASE(others_do_not_change_then) {
    const answer got = annotate("A-1", R"({"attributes":{"rank":1,"x":1},"user_id":"1"})");
    BOOST_TEST(got.status == 422);
    BOOST_TEST(got.says(R"({"pointer":"#/attributes/rank","code":"read_only")"));
    BOOST_TEST(got.says(R"({"pointer":"#/attributes/x","code":"unknown_field")"));
    BOOST_TEST(got.says(R"({"pointer":"#/user_id","code":"unknown_field")"));
    BOOST_TEST(annotate("A-1", R"({"attributes":{"refunded":1.505}})").status == 422);
    BOOST_TEST(annotate("A-9", R"({"annotations":{}})").status == 404);
    BOOST_TEST(annotate("A-9", R"({"attributes":{"tracking":"T"}})").status == 404);
    BOOST_TEST(
        ask("PATCH", "/orders/A-1/annotations", "{}", {{"Content-Type", "text/plain"}}).status ==
        415);
    BOOST_TEST(ask("PATCH", "/orders/A-1/annotations?x=1", "{}").status == 400);
}

BOOST_AUTO_TEST_CASE(an_annotation_has_preconditions_and_a_key) {
    BOOST_TEST(annotate("A-1", R"({"annotations":{"a":1}})", {{"If-Match", "\"9\""}}).status ==
               412);
    BOOST_TEST(
        annotate("A-1", R"({"attributes":{"tracking":"T"}})", {{"If-Match", "\"9\""}}).status ==
        412);
    const std::vector<http::field> key{{"Idempotency-Key", "k"}, {"If-Match", "\"1\""}};
    const answer first = annotate("A-1", R"({"annotations":{"a":1}})", key);
    BOOST_TEST(first.status == 200);
    const answer again = annotate("A-1", R"({"annotations":{"a":1}})", key);
    BOOST_TEST(again.body == first.body);
    BOOST_TEST(again.find("Idempotency-Replayed").has_value());
    BOOST_TEST(annotate("A-1", R"({"annotations":{"a":2}})", key).says("idempotency_mismatch"));
}

BOOST_AUTO_TEST_CASE(an_order_that_changes_meanwhile_is_annotated_as_it_is_then) {
    struct silent : completion {
        void complete(change_outcome&) noexcept override {}
    } others[2];  // the first comes before the order is read, the second behind that
    for (silent& it : others) {
        command what;
        annotate_order fields;
        fields.annotations = R"({"b":2})";
        what.what = orderproc::annotate{"A-1", fields};
        BOOST_REQUIRE(orders.submit(std::move(what), it).has_value());
    }
    const answer got = annotate("A-1", R"({"annotations":{"a":1}})");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.says(R"("annotations":{"b":2,"a":1},"status":"PENDING","version":4)"));
}

BOOST_AUTO_TEST_CASE(what_is_personal_is_erased) {
    annotate("A-1", R"({"annotations":{"call":"Ada"}})");
    const answer early = ask("POST", "/orders/A-1/redact");
    BOOST_TEST(early.status == 409);
    BOOST_TEST(early.says(R"("code":"transition_refused")"));
    BOOST_TEST(ask("POST", "/orders/A-1/cancel").status == 200);
    const answer got = ask("POST", "/orders/A-1/redact", {}, {{"Idempotency-Key", "k"}});
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.says(R"("metadata":{},"tenant":"north","attributes":{"channel":"web",)"
                        R"("reference":"R-1","tax":1.00},"status":"CANCELLED","version":4)"));
    const answer history = get("/orders/A-1/history");
    BOOST_TEST(history.says(R"("event":"redact")"));
    for (const char* personal : {"Ada", "a@b"}) {
        BOOST_TEST(!history.says(personal), personal);
        BOOST_TEST(!get("/journal").says(personal), personal);
    }
    BOOST_TEST(ask("POST", "/orders/A-1/redact", {}, {{"Idempotency-Key", "k"}})
                   .find("Idempotency-Replayed")
                   .has_value());
    BOOST_TEST(ask("POST", "/orders/A-9/redact").status == 404);
    BOOST_TEST(ask("POST", "/orders/A-1/redact?x=1").status == 400);
    BOOST_TEST(ask("POST", "/orders/A-1/redact", {}, {{"If-Match", "\"1\""}}).status == 412);
}

BOOST_AUTO_TEST_CASE(so_it_is_of_a_deleted_order) {
    ask("POST", "/orders/A-1/cancel");
    BOOST_TEST(ask("DELETE", "/orders/A-1").status == 204);
    BOOST_TEST(ask("POST", "/orders/A-1/redact").status == 200);
    BOOST_TEST(!get("/orders/A-1/history").says("Ada"));
    BOOST_TEST(get("/orders/A-1").status == 404);
}

BOOST_AUTO_TEST_SUITE_END()
