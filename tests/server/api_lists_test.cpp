// Other sorts of lists, what has changed, and totals.

#include "api_fixture.hpp"

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct lists : api_fixture {
    // The ids of a page.
    static std::string ids(const answer& page) {
        const auto body = boost::json::parse(page.body);
        std::string out;
        for (const auto& it : body.at("items").as_array()) {
            out.append(out.empty() ? "" : " ").append(it.at("order_id").as_string());
        }
        return out;
    }
    static std::string next(const answer& page) {
        const auto body = boost::json::parse(page.body);
        const auto& cursor = body.at("next_cursor");
        return cursor.is_null() ? "" : std::string(cursor.as_string());
    }
    // Of all pages, with a bar between them.
    std::string ids_of_all(const std::string& target, std::string cursor = {}) {
        std::string out;
        do {
            const answer page = get(target + (cursor.empty() ? "" : "&cursor=" + cursor));
            BOOST_REQUIRE_EQUAL(page.status, 200);
            out.append(out.empty() ? "" : " | ").append(ids(page));
            cursor = next(page);
        } while (!cursor.empty() && out.size() < 10'000);
        return out;
    }
    void create_some() {
        for (const char* id : {"B-2", "A-10", "A-1", "a-1", "B-1", "A-2"}) {
            create(id);
            time.advance(std::chrono::seconds(1));
        }
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_lists, lists)

BOOST_AUTO_TEST_CASE(orders_by_id) {
    create_some();
    BOOST_TEST(ids_of_all("/orders?sort=order_id&limit=4") == "A-1 A-10 A-2 B-1 | B-2 a-1");
    BOOST_TEST(ids_of_all("/orders?sort=-order_id&limit=5") == "a-1 B-2 B-1 A-2 A-10 | A-1");
}

BOOST_AUTO_TEST_CASE(orders_whose_ids_begin_alike) {
    create_some();
    BOOST_TEST(ids_of_all("/orders?order_id_prefix=A-&limit=2") == "A-1 A-10 | A-2");
    BOOST_TEST(ids_of_all("/orders?order_id_prefix=A-1&sort=-order_id") == "A-10 A-1");
    BOOST_TEST(ids_of_all("/orders?order_id_prefix=A-&sort=-created_at") == "A-2 A-1 A-10");
    BOOST_TEST(ids_of_all("/orders?order_id_prefix=C") == "");
    BOOST_TEST(ids_of_all("/orders/status/pending?order_id_prefix=B") == "B-1 B-2");
    BOOST_TEST(ids_of_all("/orders/status/failed?order_id_prefix=B") == "");
    BOOST_TEST(get("/orders?order_id_prefix=" + std::string(128, 'x')).status == 200);
    BOOST_TEST(get("/orders?order_id_prefix=" + std::string(129, 'x')).status == 400);
}

BOOST_AUTO_TEST_CASE(orders_by_due_time) {
    create_some();
    const claimed_order first = claim_one();
    BOOST_TEST(ids_of_all("/orders/status/pending?sort=due_at&limit=3") ==
               "A-10 A-1 a-1 | B-1 A-2");
    BOOST_TEST(ids_of_all("/orders?status=PENDING&sort=-due_at&limit=2") ==
               "A-2 B-1 | a-1 A-1 | A-10");
    BOOST_TEST(ids_of_all("/orders?status=PROCESSING&sort=due_at") == "B-2");
    raise("B-2", "complete");
    BOOST_TEST(ids_of_all("/orders?status=COMPLETED&sort=due_at") == "");
    BOOST_TEST(get("/orders?sort=due_at").says("due_at goes with one status"));
}

BOOST_AUTO_TEST_CASE(what_has_changed_since) {
    create_some();                      // at 00:00:00 and so on
    ask("POST", "/orders/A-1/cancel");  // at 00:00:06
    time.advance(std::chrono::seconds(1));
    ask("POST", "/orders/B-2/cancel");
    const std::string since = "/orders?updated_from=2026-06-15T00:00:0";
    BOOST_TEST(ids_of_all(since + "0Z&limit=2") == "A-10 a-1 | B-1 A-2 | A-1 B-2");
    BOOST_TEST(ids_of_all(since + "4Z") == "B-1 A-2 A-1 B-2");
    BOOST_TEST(ids_of_all(since + "6.001Z&sort=updated_at") == "B-2");
    BOOST_TEST(ids_of_all(since + "7.001Z") == "");
    BOOST_TEST(ids_of_all(since + "0Z&status=CANCELLED&limit=1") == "A-1 | B-2");
    BOOST_TEST(ids_of_all(since + "0Z&order_id_prefix=B") == "B-1 B-2");
    BOOST_TEST(ids_of_all("/orders/status/pending?updated_from=2026-06-15T00:00:04Z") == "B-1 A-2");
    BOOST_TEST(get(since + "4Z").find("Feed-Position").value_or("") == "1-8");
}

BOOST_AUTO_TEST_CASE(what_changes_meanwhile_comes_again_and_is_not_skipped) {
    create_some();
    const std::string all = "/orders?updated_from=2026-06-15T00:00:00Z&limit=2";
    const answer first = get(all);
    BOOST_TEST(ids(first) == "B-2 A-10");
    BOOST_TEST(first.find("Link").value_or("").starts_with(
        "<?updated_from=2026-06-15T00:00:00Z&limit=2&cursor="));
    ask("POST", "/orders/B-2/cancel");
    ask("POST", "/orders/a-1/cancel");
    ask("DELETE", "/orders/B-1");
    BOOST_TEST(ids_of_all(all, next(first)) == "A-1 A-2 | B-2 a-1 | ");
    const answer other = get("/orders?updated_from=2026-06-15T00:00:01Z&cursor=" + next(first));
    BOOST_TEST(other.says(R"("parameter":"cursor")"));
}

BOOST_AUTO_TEST_CASE(a_place_that_the_journal_lost) {
    create_some();
    const std::string all = "/orders?updated_from=2026-06-15T00:00:00Z&limit=2";
    list_query query;
    query.updated_from = parse_timestamp("2026-06-15T00:00:00Z").value();
    const answer got = get(all + "&cursor=" + make_cursor(query, feed_position{7, 3}));
    BOOST_TEST(got.status == 400);
    BOOST_TEST(got.says(R"("parameter":"cursor")"));
    BOOST_TEST(got.says("no longer in the journal"));
}

BOOST_AUTO_TEST_CASE(totals_are_told_when_asked) {
    create_some();
    BOOST_TEST(!get("/orders").says(R"("total":)"));
    BOOST_TEST(!get("/orders?total=false").says(R"("total":)"));
    BOOST_TEST(get("/orders?total=true&limit=1").says(R"(,"total":{"value":6,"exact":true}})"));
    BOOST_TEST(get("/orders?total=true&order_id_prefix=A").says(R"("total":{"value":3,"exact")"));
    BOOST_TEST(get("/orders/status/failed?total=true").says(R"("total":{"value":0,"exact")"));
    const answer page = get("/orders?total=true&limit=4");
    BOOST_TEST(get("/orders?total=true&cursor=" + next(page)).says(R"("total":{"value":6,)"));
}

BOOST_AUTO_TEST_CASE(a_total_ends_at_ten_thousand) {
    std::vector<command> all;
    for (std::size_t i = 0; i <= list_query::total_max; ++i) {
        order_draft draft;
        draft.user = i == 0 ? "1" : "2";
        draft.item_ids = {1};
        draft.total_amount = {1, "USD"};
        all.push_back({submit_order{std::move(draft)}, {}, {}, {}, "", ""});
    }
    while (!all.empty()) {  // as many as the engine's queue takes
        const auto from =
            all.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(all.size(), 5000));
        for (const auto& made : orders.execute_all({from, all.end()})) BOOST_REQUIRE(!made.ec);
        all.erase(from, all.end());
    }
    BOOST_TEST(get("/orders?total=true&limit=1").says(R"("total":{"value":10000,"exact":false})"));
    BOOST_TEST(get("/orders?total=true&limit=1&user_id=2")
                   .says(R"("total":{"value":10000,"exact":true})"));
}

BOOST_AUTO_TEST_SUITE_END()
