// Readers of PostgreSQL share the attempts to connect while no server can be reached.

#include "storage/postgres/connect_pause.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

using namespace orderproc;
using detail::postgres::connect_pause;

namespace {

const result<void> away = failure{errc::unavailable, "nobody is there"};
const connect_pause::instant begin{std::chrono::hours(1)};
const auto after_pause = begin + connect_pause::length;

}  // namespace

BOOST_AUTO_TEST_CASE(all_try_while_nothing_has_failed) {
    connect_pause it;
    BOOST_TEST(!it.begin(begin));
    BOOST_TEST(!it.begin(begin));
    it.finish({}, begin);
    BOOST_TEST(!it.begin(begin));
}

BOOST_AUTO_TEST_CASE(after_a_failure_the_others_are_told_of_it_until_one_has_tried_again) {
    connect_pause it;
    it.finish(away, begin);
    const auto told = it.begin(after_pause - std::chrono::milliseconds(1));
    BOOST_REQUIRE(told.has_value());
    BOOST_TEST((told->code == errc::unavailable));
    BOOST_TEST(told->detail == "nobody is there");
    BOOST_TEST(!it.begin(after_pause));
    BOOST_TEST(it.begin(after_pause).has_value());  // one at a time
    it.finish(away, after_pause);
    BOOST_TEST(it.begin(after_pause).has_value());
    BOOST_TEST(!it.begin(after_pause + connect_pause::length));
    it.finish({}, after_pause);
    BOOST_TEST(!it.begin(after_pause));
    BOOST_TEST(!it.begin(after_pause));
}

BOOST_AUTO_TEST_CASE(a_server_that_can_be_reached_and_not_used_makes_nobody_wait) {
    connect_pause it;
    it.finish(failure{errc::schema_mismatch, "an older version"}, begin);
    BOOST_TEST(!it.begin(begin));
}

BOOST_AUTO_TEST_CASE(an_attempt_that_was_broken_off_is_made_again) {
    connect_pause it;
    it.finish(away, begin);
    BOOST_TEST(!it.begin(after_pause));
    it.abandon();
    BOOST_TEST(!it.begin(after_pause));
}
