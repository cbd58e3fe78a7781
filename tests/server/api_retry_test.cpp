// Dead letters that are retried in bulk.

#include "guarded_fixture.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <string>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using auth::scope;
namespace js = boost::json;

namespace {

struct retried : guarded {
    retried() {
        operates = add("anna", {scope::operate});
        all = add("shop", {scope::orders_write, scope::orders_read});
    }
    js::object object(const answer& got, int status = 200) {
        BOOST_REQUIRE_EQUAL(got.status, status);
        BOOST_TEST(got.find("Cache-Control").value_or("") == "no-store");
        return js::parse(got.body).as_object();
    }
    answer ask_for(const std::string& body) {
        return with(operates, "POST", "/dead-letters/retry", body);
    }
    void fail(const std::string& id, const std::string& reason) {
        BOOST_REQUIRE_EQUAL(create_with(all, id, 42).status, 201);
        const claimed_order claimed = claim_one();
        const std::string attempt = "/orders/" + id + "/attempts/" +
                                    tokens.make({id, claimed.lease, claimed.value.status, 1});
        BOOST_REQUIRE_EQUAL(
            with(all, "POST", attempt, R"({"fail":{"reason":")" + reason + R"("}})").status, 200);
    }
    std::string status_of(const std::string& id) {
        const js::value whole = js::parse(with(all, "GET", "/orders/" + id).body);
        return std::string(whole.at("status").as_string());
    }
    // Begins one, and runs the engine until it is over.
    js::object retry(const std::string& body) {
        const js::object begun = object(ask_for(body), 202);
        while (*orders.run_once() > 0) continue;
        return seen(begun);
    }
    js::object seen(const js::object& begun) {
        return object(with(operates, "GET", "/operations/" + text(begun.at("id"))));
    }
    static std::string text(const js::value& it) { return std::string(it.as_string()); }
    static std::size_t count(const js::value& it) { return it.to_number<std::size_t>(); }

    std::string operates, all;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bulk_retries_of_dead_letters, retried)

BOOST_AUTO_TEST_CASE(a_group_is_counted_and_then_retried) {
    fail("A", "payment 1: 502");
    const std::string first = to_string(time.now());
    time.advance(std::chrono::seconds(5));
    fail("B", "payment 2: 502");
    fail("C", "no stock");
    const std::string of_group = R"({"reason":"payment #: #")";
    const js::object dry = object(ask_for(of_group + R"(,"dry_run":true})"));
    BOOST_TEST(count(dry.at("orders")) == 2U);
    BOOST_TEST(text(dry.at("first_at")) == first);
    BOOST_TEST(text(dry.at("last_at")) == to_string(time.now()));
    BOOST_TEST(!dry.at("more").as_bool());
    BOOST_TEST(dry.at("left_out").as_array().empty());
    BOOST_TEST(status_of("A") == "FAILED");

    const js::object done = retry(of_group + "}");
    BOOST_TEST(text(done.at("state")) == "done");
    BOOST_TEST(count(done.at("total")) == 2U);
    BOOST_TEST(count(done.at("done")) == 2U);
    BOOST_TEST(count(done.at("refused_count")) == 0U);
    BOOST_TEST(text(done.at("actor")) == "key:anna");
    BOOST_TEST(text(done.at("reason")) == "payment #: #");
    BOOST_TEST(done.at("error").is_null());
    BOOST_TEST(status_of("A") == "PENDING");
    BOOST_TEST(status_of("B") == "PENDING");
    BOOST_TEST(status_of("C") == "FAILED");
    BOOST_TEST(with(all, "GET", "/orders/A/history").says(R"("actor":"key:anna")"));
}

BOOST_AUTO_TEST_CASE(orders_that_are_named) {
    fail("A", "x");
    BOOST_REQUIRE_EQUAL(create_with(all, "B", 1).status, 201);
    const js::object dry = object(ask_for(R"({"order_ids":["NONE","B","A"],"dry_run":true})"));
    BOOST_TEST(count(dry.at("orders")) == 1U);
    BOOST_TEST((dry.at("left_out") == js::array{{{"order_id", "B"}, {"code", "not_failed"}},
                                                {{"order_id", "NONE"}, {"code", "not_found"}}}));
    const js::object done = retry(R"({"order_ids":["NONE","B","A"]})");
    BOOST_TEST(count(done.at("done")) == 1U);
    BOOST_TEST(done.at("reason").is_null());
    BOOST_TEST(status_of("A") == "PENDING");
}

BOOST_AUTO_TEST_CASE(no_more_than_its_limit) {
    for (const char* id : {"A", "B", "C"}) fail(id, "x");
    BOOST_TEST(object(ask_for(R"({"reason":"x","limit":2,"dry_run":true})")).at("more").as_bool());
    BOOST_TEST(count(retry(R"({"reason":"x","limit":2})").at("done")) == 2U);
    BOOST_TEST(status_of("A") == "FAILED");  // the newest ones first
}

// Somebody else was quicker: the order is not retried a second time.
BOOST_AUTO_TEST_CASE(what_was_changed_meanwhile_is_refused) {
    fail("C", "x");
    meanwhile = [this] {
        reads.run_once();  // it is looked at; then somebody annotates it
        command note;
        annotate what;
        what.order = "C";
        what.fields.annotations = R"({"seen":1})";
        note.what = what;
        BOOST_REQUIRE(!orders.execute(std::move(note)).ec);
    };
    const js::object done = retry(R"({"order_ids":["C"]})");
    BOOST_TEST(count(done.at("done")) == 0U);
    BOOST_TEST(count(done.at("refused_count")) == 1U);
    BOOST_TEST(
        (done.at("refused") == js::array{{{"order_id", "C"}, {"code", "version_conflict"}}}));
    BOOST_TEST(status_of("C") == "FAILED");
}

BOOST_AUTO_TEST_CASE(it_stops_between_orders) {
    constexpr std::size_t many = bulk_retry::in_flight_max + 10;
    for (std::size_t i = 0; i < many; ++i) fail("A-" + std::to_string(i), "x");
    const js::object begun = object(ask_for(R"({"reason":"x"})"), 202);
    BOOST_TEST(count(begun.at("total")) == many);
    const std::string path = "/operations/" + text(begun.at("id")) + "/stop";
    BOOST_TEST(text(object(with(operates, "POST", path)).at("state")) == "running");
    while (*orders.run_once() > 0) continue;
    const js::object ended = seen(begun);
    BOOST_TEST(text(ended.at("state")) == "stopped");
    BOOST_TEST(count(ended.at("done")) == bulk_retry::in_flight_max);
    BOOST_TEST(text(ended.at("finished_at")) == to_string(time.now()));
    // Once more: it stays as it is.
    BOOST_TEST(text(object(with(operates, "POST", path)).at("state")) == "stopped");
}

BOOST_AUTO_TEST_CASE(an_engine_that_stops_ends_it) {
    fail("A", "x");
    meanwhile = [this] {
        reads.run_once();
        orders.stop();
    };
    const js::object begun = object(ask_for(R"({"reason":"x"})"), 202);
    BOOST_TEST(text(begun.at("state")) == "failed");
    BOOST_TEST(text(begun.at("error")) == "the server stopped");
}

BOOST_AUTO_TEST_CASE(operations_are_forgotten_after_a_week) {
    const js::object begun = retry(R"({"reason":"nothing"})");
    BOOST_TEST(text(begun.at("state")) == "done");
    const std::string path = "/operations/" + text(begun.at("id"));
    time.advance(std::chrono::hours(7 * 24));
    BOOST_TEST(with(operates, "GET", path).status == 200);
    time.advance(std::chrono::milliseconds(1));
    BOOST_TEST(with(operates, "GET", path).status == 404);
}

BOOST_AUTO_TEST_CASE(bodies_that_are_refused) {
    for (const char* body :
         {"{}", R"({"reason":"x","order_ids":["A"]})", R"({"order_ids":[]})",
          R"({"order_ids":[1]})", R"({"reason":1})", R"({"reason":"x","limit":0})",
          R"({"reason":"x","limit":10001})", R"({"reason":"x","limit":1.5})",
          R"({"reason":"x","dry_run":1})", R"({"nothing":1})"}) {
        BOOST_TEST(ask_for(body).status == 422, body);
    }
    BOOST_TEST(ask_for("{").status == 400);
    BOOST_TEST(with(all, "POST", "/dead-letters/retry", R"({"reason":"x"})").status == 403);
}

BOOST_AUTO_TEST_SUITE_END()
