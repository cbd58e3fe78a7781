// How a process notices that a server does not have what was seen before.

#include "storage/postgres/seen_journal.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

using namespace orderproc;
using detail::postgres::entries_lost;
using detail::postgres::seen_journal;

namespace {

const std::vector<journal_epoch> chain{{7, 1}, {8, 11}, {9, 21}};

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_there_is_not_lost) {
    BOOST_TEST(entries_lost({}, chain, 30) == 0U);
    BOOST_TEST(entries_lost({9, 30}, chain, 30) == 0U);
    BOOST_TEST(entries_lost({9, 25}, chain, 30) == 0U);
    BOOST_TEST(entries_lost({8, 20}, chain, 30) == 0U);  // up to where the next one began
    BOOST_TEST(entries_lost({7, 10}, chain, 30) == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_beyond_the_end_of_its_epoch_is_lost) {
    BOOST_TEST(entries_lost({9, 33}, chain, 30) == 3U);
    BOOST_TEST(entries_lost({8, 21}, chain, 30) == 1U);
    BOOST_TEST(entries_lost({7, 25}, chain, 30) == 15U);
}

BOOST_AUTO_TEST_CASE(an_epoch_that_is_not_there_is_lost_itself) {
    BOOST_TEST(entries_lost({5, 3}, chain, 30) == 1U);
    BOOST_TEST(entries_lost({5, 33}, chain, 30) == 3U);
}

BOOST_AUTO_TEST_CASE(what_was_seen_ascends_and_old_servers_do_not_count) {
    seen_journal seen;
    seen.saw(1, {7, 5});
    seen.saw(1, {7, 4});
    BOOST_TEST((seen.newest() == feed_position{7, 5}));
    seen.saw(2, {8, 3});
    seen.saw(1, {7, 9});
    BOOST_TEST((seen.newest() == feed_position{8, 3}));
    seen.saw(2, {9, 1});  // begun by hand
    BOOST_TEST((seen.newest() == feed_position{9, 1}));
}

BOOST_AUTO_TEST_CASE(a_loss_is_kept_until_it_was_noted) {
    seen_journal seen;
    seen.saw(1, {7, 5});
    BOOST_TEST(!seen.missed(2, {7, 4}, 2, {7, 3}));  // another thread has seen more
    BOOST_TEST(seen.lost() == 0U);
    BOOST_TEST(seen.missed(2, {7, 5}, 2, {7, 3}));
    BOOST_TEST(seen.lost() == 2U);
    BOOST_TEST((seen.newest() == feed_position{7, 3}));
    seen.saw(2, {8, 4});
    BOOST_TEST(seen.lost() == 2U);
    seen.noted();
    BOOST_TEST(seen.lost() == 0U);
}
