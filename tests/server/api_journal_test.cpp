// The journal in pages.

#include "api_fixture.hpp"

#include <orderproc/testing/builders.hpp>

#include <algorithm>
#include <iterator>
#include <string>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct journal : api_fixture {
    journal() {
        create("A-1", 1);
        create("A-2", 2);
        time.advance(std::chrono::seconds(1));
        ask("POST", "/orders/A-1/cancel");
        create("A-3", 1);
        ask("DELETE", "/orders/A-2");
    }
    // Positions and events: "1-1 create", and what follows the entries.
    std::string told(std::string_view target) {
        const auto body = boost::json::parse(get(target).body);
        std::string out;
        for (const auto& it : body.at("items").as_array()) {
            out.append(it.at("id").as_string()).append(1, ' ');
            out.append(it.at("data").at("event").as_string()).append(", ");
        }
        out.append("next ").append(body.at("next").as_string());
        if (body.at("more").as_bool()) out.append(", more");
        if (body.at("reset").as_bool()) out.append(", reset");
        return out;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_journal, journal)

BOOST_AUTO_TEST_CASE(an_entry_is_what_the_live_feed_sends) {
    const answer got = get("/journal?after=1-2&limit=1");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("Content-Type").value_or("") == "application/json");
    BOOST_TEST(got.find("Feed-Position").value_or("") == "1-5");
    BOOST_TEST(got.find("Cache-Control").value_or("") == "no-store");
    std::string entry;
    feed_params params;
    params.after = {1, 2};
    const auto page = direct.use([&](repository_reader& from) { return from.read_feed(params); });
    append_cloud_event(page.value().entries.at(0), entry);
    BOOST_TEST(got.body ==
               R"({"items":[)" + entry + R"(],"next":"1-3","more":true,"reset":false})");
    BOOST_TEST(ask("HEAD", "/journal").status == 200);
}

BOOST_AUTO_TEST_CASE(pages_join) {
    BOOST_TEST(told("/journal") ==
               "1-1 create, 1-2 create, 1-3 cancel, 1-4 create, 1-5 delete, next 1-5");
    BOOST_TEST(told("/journal?after=0&limit=2") == "1-1 create, 1-2 create, next 1-2, more");
    BOOST_TEST(told("/journal?after=1-2&limit=2") == "1-3 cancel, 1-4 create, next 1-4, more");
    BOOST_TEST(told("/journal?after=1-4&limit=1") == "1-5 delete, next 1-5");
    BOOST_TEST(told("/journal?after=1-5") == "next 1-5");
    BOOST_TEST(get("/journal?limit=2&status=pending").find("Link").value_or("") ==
               "<?limit=2&status=pending&after=1-2>; rel=\"next\"");
    BOOST_TEST(!get("/journal").find("Link"));
}

BOOST_AUTO_TEST_CASE(filters_are_those_of_the_live_feed) {
    BOOST_TEST(told("/journal?user_id=1") == "1-1 create, 1-3 cancel, 1-4 create, next 1-5");
    BOOST_TEST(told("/journal?user_id=1&limit=1&after=1-1") == "1-3 cancel, next 1-3, more");
    BOOST_TEST(told("/journal?user_id=2&after=1-2") == "1-5 delete, next 1-5");
    BOOST_TEST(told("/journal?status=cancelled") == "1-3 cancel, next 1-5");
    BOOST_TEST(told("/journal?status=cancelled,pending&user_id=2") == "1-2 create, next 1-5");
    BOOST_TEST(told("/journal?user_id=9") == "next 1-5");
}

BOOST_AUTO_TEST_CASE(a_filter_does_not_look_for_ever) {
    for (int i = 0; i < 2100; ++i) create("B-" + std::to_string(i), 3);
    create("A-4", 1);
    BOOST_TEST(told("/journal?user_id=1&after=1-5") == "next 1-2005, more");
    BOOST_TEST(told("/journal?user_id=1&after=1-2005") == "1-2106 create, next 1-2106");
}

// It ends with the entry that goes beyond 4 MiB.
BOOST_AUTO_TEST_CASE(a_page_has_a_size) {
    const std::string note = R"({"x":")" + std::string(16'000, 'x') + R"("})";
    for (int i = 0; i < 400; ++i) {
        const std::string id = "L-" + std::to_string(i);
        BOOST_REQUIRE(
            !orders.execute(orderproc::testing::order_builder{}.id(id).metadata(note).submit()).ec);
    }
    const answer got = get("/journal?after=1-5&limit=1000");
    constexpr std::size_t mib = 1024 * 1024;
    BOOST_TEST(got.body.size() > 3 * mib);
    BOOST_TEST(got.body.size() < 5 * mib);
    const auto page = boost::json::parse(got.body);
    BOOST_TEST(page.at("more").as_bool());
    const auto& items = page.at("items").as_array();
    BOOST_TEST(items.back().at("id").as_string() == page.at("next").as_string());
    const std::string rest =
        told("/journal?limit=1000&after=" + std::string(page.at("next").as_string()));
    BOOST_TEST(std::count(rest.begin(), rest.end(), ',') == 400 - std::ssize(items));
    BOOST_TEST(rest.ends_with("next 1-405"));
}

BOOST_AUTO_TEST_CASE(positions_of_elsewhere_are_a_reset) {
    for (const char* after : {"2-3", "1-6", "7-1"}) {
        BOOST_TEST(told("/journal?after=" + std::string(after)) == "next 1-0, more, reset");
    }
    BOOST_TEST(told("/journal?after=7-0&limit=1") == "1-1 create, next 1-1, more");
}

BOOST_AUTO_TEST_CASE(refused_parameters_are_named) {
    for (const auto& [query, parameter] : {std::pair{"after=x", "after"},
                                           {"after=1", "after"},
                                           {"after=", "after"},
                                           {"after=1-1&after=1-1", "after"},
                                           {"limit=0", "limit"},
                                           {"limit=1001", "limit"},
                                           {"user_id=0", "user_id"},
                                           {"user_id=1&user_id=1", "user_id"},
                                           {"status=NOPE", "status"},
                                           {"order_id=A-1", "order_id"}}) {
        const answer got = get("/journal?" + std::string(query));
        BOOST_TEST(got.status == 400, query);
        BOOST_TEST(got.says(R"("parameter":")" + std::string(parameter) + "\""), got.body);
    }
    BOOST_TEST(get("/journal?%").status == 400);
    BOOST_TEST(get("/journal?limit=1000&status=pending&status=failed").status == 200);
    BOOST_TEST(ask("POST", "/journal").status == 405);
}

BOOST_AUTO_TEST_CASE(an_empty_journal) {
    const auto empty = make_memory_storage();
    read_pool none{*empty, read_by_hand()};
    engine idle{*empty, status_machine::standard(), runtime{time, random, errors}, by_hand()};
    api over(idle, none);
    pending_read* read = nullptr;
    http::request in;
    in.method = "GET";
    in.path = "/journal";
    http::response out;
    std::optional<pending> todo;
    over.begin(in, {auth::anonymous()}, todo, out);
    BOOST_REQUIRE(todo && todo->read);
    read = todo->read.get();
    auto from = empty->connect_reader().value();
    auto done = read->read(*from);
    over.finish_read(*todo, in, done, out);
    BOOST_TEST(out.body == R"({"items":[],"next":"1-0","more":false,"reset":false})");
}

BOOST_AUTO_TEST_SUITE_END()
