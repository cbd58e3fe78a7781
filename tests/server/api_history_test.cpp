// What an order was.

#include "api_fixture.hpp"

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

BOOST_FIXTURE_TEST_SUITE(api_history, api_fixture)

BOOST_AUTO_TEST_CASE(every_change_is_told) {
    create("A-0");
    create("A-1");
    time.advance(std::chrono::seconds(1));
    ask("POST", "/orders/A-1/transitions", R"({"event":"cancel","reason":"no \"more\""})");
    const answer got = get("/orders/A-1/history");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.body.starts_with(
        R"({"items":[{"position":"1-2","version":1,"event":"create","from":null,"to":"PENDING",)"
        R"("actor":null,"reason":null,"at":"2026-06-15T00:00:00.000Z","order":{"id":2,)"));
    BOOST_TEST(got.says(
        R"(}},{"position":"1-3","version":2,"event":"cancel","from":"PENDING","to":"CANCELLED",)"
        R"("actor":null,"reason":"no \"more\"","at":"2026-06-15T00:00:01.000Z","order":{"id":2,)"));
    ask("DELETE", "/orders/A-1");
    BOOST_TEST(get("/orders/A-1/history").says(R"("version":3,"event":"delete")"));
    BOOST_TEST(get("/orders/A-2/history").status == 404);
    BOOST_TEST(ask("HEAD", "/orders/A-1/history").status == 200);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_history) {
    create("A-1");
    ask("POST", "/orders/A-1/cancel");
    const answer rest = get("/orders/A-1/history?after=1");
    BOOST_TEST(rest.says(R"({"items":[{"position":"1-2","version":2)"));
    BOOST_TEST(get("/orders/A-1/history?after=2").body == R"({"items":[]})");
    BOOST_TEST(get("/orders/A-2/history?after=2").status == 404);
    for (const std::string_view query :
         {"after=", "after=x", "after=-1", "after=9223372036854775808", "before=1",
          "after=1&after=1", "%"}) {
        BOOST_TEST(get("/orders/A-1/history?" + std::string(query)).status == 400, query);
    }
}

BOOST_AUTO_TEST_CASE(a_long_history_goes_on_behind_a_link) {
    create("A-1");
    order_draft by;
    by.user = "1";
    by.item_ids = {1};
    by.total_amount = {100, "USD"};
    by.metadata = "{}";
    for (int i = 0; i < 1000; ++i)
        (void)orders.execute({edit_fields{"A-1", by}, {}, {}, {}, "", ""});
    const answer first = get("/orders/A-1/history");
    BOOST_TEST(first.find("Link").value_or("") == "<?after=1000>; rel=\"next\"");
    BOOST_TEST(first.says(R"("version":1000,)"));
    BOOST_TEST(!first.says(R"("version":1001,)"));
    const answer last = get("/orders/A-1/history?after=1000");
    BOOST_TEST(last.says(R"("version":1001,)"));
    BOOST_TEST(!last.find("Link"));
}

BOOST_AUTO_TEST_CASE(answers_say_where_the_feed_was) {
    const auto position = [&](std::string_view target) {
        return get(target).find("Feed-Position").value_or("");
    };
    BOOST_TEST(position("/orders") == "1-0");
    create("A-1");
    create("A-2");
    for (const std::string_view target :
         {"/orders", "/orders/A-1", "/orders/status/pending", "/orders/A-1/history",
          "/orders/A-1?at=2026-06-15T00:00:00Z"}) {
        BOOST_TEST(position(target) == "1-2", target);
    }
    const answer unchanged = get("/orders/A-1", {{"If-None-Match", "*"}});
    BOOST_TEST(unchanged.find("Feed-Position").value_or("") == "1-2");
    BOOST_TEST(!get("/metrics").find("Feed-Position"));
}

BOOST_AUTO_TEST_CASE(an_order_as_it_was) {
    constexpr int versions = 21;
    create("A-1");
    order_draft by;
    by.item_ids = {1};
    by.total_amount = {100, "USD"};
    by.metadata = "{}";
    for (int version = 2; version <= versions; ++version) {
        time.advance(std::chrono::seconds(1));
        by.user = std::to_string(version);
        (void)orders.execute({edit_fields{"A-1", by}, {}, {}, {}, "", ""});
    }
    time.advance(std::chrono::seconds(1));
    ask("DELETE", "/orders/A-1");
    const auto at = [&](int second, std::string_view decimals) {
        const std::string digits = std::to_string(100 + second).substr(1);
        return get("/orders/A-1?at=2026-06-15T00:00:" + digits + std::string(decimals) + "Z");
    };
    for (int version = 1; version <= versions; ++version) {
        const std::string wanted = "\"version\":" + std::to_string(version) + ",";
        BOOST_TEST(at(version - 1, "").says(wanted), wanted);
        BOOST_TEST(at(version - 1, ".999").says(wanted), wanted);
    }
    BOOST_TEST(get("/orders/A-1?at=2026-06-14T23:59:59.999Z").status == 404);
    BOOST_TEST(at(versions, "").status == 404);
    BOOST_TEST(get("/orders/A-2?at=2026-06-15T00:00:00Z").status == 404);
    BOOST_TEST(get("/orders/A-1?at=now").says(R"("parameter":"at")"));
    BOOST_TEST(get("/orders/A-1?at=").status == 400);
}

BOOST_AUTO_TEST_SUITE_END()
