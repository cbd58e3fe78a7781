// Many commands that are submitted at once.

#include "engine_fixture.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;

namespace {

command malformed() {
    command out = create("bad");
    std::get<submit_order>(out.what).value.metadata = "no JSON";
    return out;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(each_of_many_has_its_outcome_at_its_place, fixture) {
    engine it(orders, machine, with, by_hand());
    std::vector<command> all;
    for (const char* id : {"A", "B", "A"}) all.push_back(create(id));
    all.push_back(malformed());
    all.push_back(create("C"));
    std::vector<std::vector<change_outcome>> got;
    it.submit_all(std::move(all), [&](std::vector<change_outcome> outcomes) {
        got.push_back(std::move(outcomes));
    });
    BOOST_TEST(it.run_once().value() == 3U);
    BOOST_TEST(got.empty());  // the second A waits
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{{"A", "B", "C"}, {"A"}}));
    BOOST_REQUIRE_EQUAL(got.size(), 1U);
    BOOST_REQUIRE_EQUAL(got[0].size(), 5U);
    BOOST_TEST((got[0][1].after->id.view() == "B"));
    BOOST_TEST(got[0][2].ec == errc::already_exists);
    BOOST_TEST(got[0][3].ec == errc::invalid_argument);
    BOOST_TEST(!got[0][3].detail.empty());
    BOOST_TEST(!got[0][4].ec);
}

BOOST_FIXTURE_TEST_CASE(what_the_queue_does_not_take_is_told, fixture) {
    engine it(orders, machine, with, by_hand(512, 2));
    std::vector<command> all;
    for (const char* id : {"A", "B", "C"}) all.push_back(create(id));
    const auto got = it.execute_all(std::move(all));
    BOOST_REQUIRE_EQUAL(got.size(), 3U);
    BOOST_TEST(!got[0].ec);
    BOOST_TEST(!got[1].ec);
    BOOST_TEST(got[2].ec == errc::overloaded);
}

BOOST_FIXTURE_TEST_CASE(nothing_to_wait_for_is_answered_at_once, fixture) {
    engine it(orders, machine, with, by_hand());
    BOOST_TEST(it.execute_all({}).empty());
    std::size_t answers = 0;
    const auto count = [&](std::vector<change_outcome> got) { answers += got.size(); };
    it.submit_all({malformed()}, count);
    BOOST_TEST(answers == 1U);
    it.stop();
    it.submit_all({create("A"), create("B")}, count);
    BOOST_TEST(answers == 3U);
    BOOST_TEST(it.execute_all({create("C")}).at(0).ec == errc::stopped);
}

BOOST_FIXTURE_TEST_CASE(many_are_waited_for_on_threads, fixture) {
    engine it(orders, machine, with, threaded());
    std::vector<command> all;
    for (int i = 0; i < 2000; ++i) all.push_back(create("A-" + std::to_string(i)));
    for (const change_outcome& each : it.execute_all(std::move(all))) BOOST_TEST(!each.ec);
}
