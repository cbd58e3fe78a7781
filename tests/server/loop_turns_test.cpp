#include "http/loop_turns.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <thread>

using orderproc::server::http::loop_turns;

namespace {

std::future<bool> enter_elsewhere(loop_turns& turns) {
    return std::async(std::launch::async, [&turns] { return turns.enter(); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_is_in_at_once) {
    loop_turns turns;
    BOOST_TEST(turns.enter());
}

BOOST_AUTO_TEST_CASE(the_other_takes_over_from_one_that_stays_away) {
    loop_turns turns;
    BOOST_REQUIRE(turns.enter());
    auto other = enter_elsewhere(turns);
    turns.leave();
    BOOST_TEST(other.get());
    // And back again.
    auto back = enter_elsewhere(turns);
    turns.leave();
    BOOST_TEST(back.get());
}

BOOST_AUTO_TEST_CASE(one_that_is_back_before_the_other_has_noticed_goes_on) {
    loop_turns turns;
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(turns.enter());
        turns.leave();
    }
}

BOOST_AUTO_TEST_CASE(only_one_is_in) {
    loop_turns turns;
    std::atomic<int> in{0};
    std::atomic<int> rounds{0};
    std::atomic<bool> both{false};
    const auto run = [&] {
        while (turns.enter()) {
            if (++in > 1) both = true;
            const int round = ++rounds;
            --in;
            if (round == 20'000) return turns.end();
            turns.leave();
            // Now and then away until the other has taken over.
            while (round % 1000 == 0 && rounds == round) std::this_thread::yield();
        }
    };
    std::thread one(run);
    std::thread other(run);
    one.join();
    other.join();
    BOOST_TEST(!both);
    BOOST_TEST(rounds == 20'000);
}

BOOST_AUTO_TEST_CASE(the_end_is_for_both) {
    loop_turns turns;
    BOOST_REQUIRE(turns.enter());
    auto other = enter_elsewhere(turns);
    turns.end();
    BOOST_TEST(!other.get());
    BOOST_TEST(!turns.enter());
}
