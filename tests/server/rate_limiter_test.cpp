#include "http/rate_limiter.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace orderproc::server::http;
using namespace std::chrono_literals;

namespace {

struct fixture {
    rate_verdict take(std::string_view client = "a") { return limiter.take(client, now); }
    void use_up(std::string_view client = "a") {
        for (int i = 0; i < 4; ++i) BOOST_TEST(take(client).admitted);
        BOOST_TEST(!take(client).admitted);
    }

    rate_limiter limiter{{2, 4}, 1};  // two a second, four at once
    rate_limiter::clock::time_point now{1000h};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(limiter, fixture)

BOOST_AUTO_TEST_CASE(a_burst_then_the_rate) {
    use_up();
    for (int i = 0; i < 10; ++i) {
        now += 500ms;
        BOOST_TEST(take().admitted);
        BOOST_TEST(!take().admitted);
    }
    now += 499ms;
    BOOST_TEST(!take().admitted);
    now += 1ms;
    BOOST_TEST(take().admitted);
}

// A request that turned out to be larger than a token: what is not there is owed.
BOOST_AUTO_TEST_CASE(more_than_there_is_can_be_charged) {
    const rate_verdict first = take();
    BOOST_TEST(limiter.charge(first.client, 2, now).remaining == 1U);
    BOOST_TEST(limiter.charge(first.client, 3, now).remaining == 0U);
    now += 1s;  // two tokens, which are what was owed
    const rate_verdict owes = take();
    BOOST_TEST(!owes.admitted);
    now += 500ms;
    BOOST_TEST(take().admitted);
    BOOST_TEST(take("b").admitted);
    now += 1h;
    use_up();
}

BOOST_AUTO_TEST_CASE(what_is_not_used_is_kept_up_to_the_burst) {
    use_up();
    now += 1h;
    use_up();
}

BOOST_AUTO_TEST_CASE(it_says_what_is_left) {
    rate_verdict got = take();
    BOOST_TEST(got.remaining == 3U);
    BOOST_TEST(got.full_after_s == 1U);  // half a second
    take();
    take();
    got = take();
    BOOST_TEST(got.remaining == 0U);
    BOOST_TEST(got.full_after_s == 2U);
    BOOST_TEST(got.retry_after_s == 0U);
    got = take();
    BOOST_TEST(!got.admitted);
    BOOST_TEST(got.remaining == 0U);
    BOOST_TEST(got.retry_after_s == 1U);  // who asks again then is admitted
    now += std::chrono::seconds(got.retry_after_s);
    BOOST_TEST(take().admitted);
}

BOOST_AUTO_TEST_CASE(refusals_cost_nothing) {
    use_up();
    for (int i = 0; i < 1000; ++i) BOOST_TEST(!take().admitted);
    now += 500ms;
    BOOST_TEST(take().admitted);
}

BOOST_AUTO_TEST_CASE(rates_far_below_one) {
    rate_limiter slow({0.001, 1}, 1);
    BOOST_TEST(slow.take("a", now).admitted);
    BOOST_TEST(slow.take("a", now).retry_after_s == 1000U);
    BOOST_TEST(slow.take("a", now + 999s).retry_after_s == 1U);
    BOOST_TEST(slow.take("a", now + 1000s).admitted);
    BOOST_TEST(slow.policy() == "\"default\";q=1;w=1000");
}

BOOST_AUTO_TEST_CASE(the_largest_there_may_be) {
    rate_limiter wide({0.001, 1'000'000}, 1);
    const rate_verdict got = wide.take("a", now);
    BOOST_TEST(got.remaining == 999'999U);
    BOOST_TEST(wide.policy() == "\"default\";q=1000000;w=1000000000");
    rate_limiter fast({1e6, 1}, 1);
    BOOST_TEST(fast.take("a", now).admitted);
    BOOST_TEST(!fast.take("a", now + 999ns).admitted);
    BOOST_TEST(fast.take("a", now + 1us).admitted);
}

BOOST_AUTO_TEST_CASE(clients_do_not_share) {
    use_up("a");
    use_up("b");
    use_up("");
    use_up(std::string_view("\0", 1));
}

// More clients than there is place for: nobody is refused for that, nothing grows, and those
// who have used most are forgotten last.
BOOST_AUTO_TEST_CASE(the_table_is_bounded) {
    rate_limiter small({2, 4}, 1, 8);
    const auto greedy = [&] {
        bool admitted = true;
        for (int i = 0; i < 5; ++i) admitted = small.take("greedy", now).admitted;
        return admitted;
    };
    BOOST_TEST(!greedy());
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(small.take("client " + std::to_string(i), now).admitted);
    }
    BOOST_TEST(!small.take("greedy", now).admitted);
    BOOST_TEST(small.take("client 0", now).remaining == 3U);  // forgotten
}

BOOST_AUTO_TEST_SUITE_END()
