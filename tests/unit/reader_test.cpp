#include "scripted_storage.hpp"

#include <orderproc/reader.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;

namespace {

result<statistics> count(repository_reader& in) {
    return in.count();
}

result<statistics> fail(repository_reader&) {
    return failure{errc::unavailable, "gone"};
}

struct event {
    void set() {
        const std::lock_guard lock(mutex);
        is_set = true;
        changed.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return is_set; });
    }
    std::mutex mutex;
    std::condition_variable changed;
    bool is_set = false;
};

}  // namespace

BOOST_AUTO_TEST_CASE(connections_are_opened_when_needed_and_kept) {
    scripted_storage orders;
    reader it(orders);
    BOOST_TEST(orders.connects() == 0U);
    for (int i = 0; i < 3; ++i) BOOST_TEST(it.use(count).has_value());
    BOOST_TEST(orders.connects() == 1U);
    it.use([&](repository_reader&) {
          BOOST_TEST(it.use(count).has_value());  // another one meanwhile
          return result<void>();
      }).value();
    BOOST_TEST(orders.connects() == 2U);
}

BOOST_AUTO_TEST_CASE(one_that_became_unavailable_is_replaced) {
    scripted_storage orders;
    reader it(orders, 1);
    BOOST_TEST(it.use(count).has_value());
    BOOST_TEST(it.use(fail).error().detail == "gone");
    BOOST_TEST(orders.connects() == 1U);
    BOOST_TEST(it.use(count).has_value());
    BOOST_TEST(orders.connects() == 2U);
    const auto refused = it.use([](repository_reader&) -> result<void> { return errc::not_found; });
    BOOST_TEST(refused.error().code == errc::not_found);
    BOOST_TEST(it.use(count).has_value());
    BOOST_TEST(orders.connects() == 2U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_cannot_be_made_takes_no_place) {
    scripted_storage orders;
    reader it(orders, 1);
    orders.fail_connects(2);
    BOOST_TEST(it.use(count).error().code == errc::unavailable);
    BOOST_TEST(it.use(count).error().code == errc::unavailable);
    orders.throw_at_connect();
    BOOST_CHECK_THROW((void)it.use(count), std::bad_alloc);
    BOOST_TEST(it.use(count).has_value());
}

BOOST_AUTO_TEST_CASE(an_exception_gives_the_connection_back) {
    scripted_storage orders;
    reader it(orders, 1);
    BOOST_CHECK_THROW(
        (void)it.use([](repository_reader&) -> result<void> { throw std::runtime_error("no"); }),
        std::runtime_error);
    BOOST_TEST(it.use(count).has_value());
}

BOOST_AUTO_TEST_CASE(none_means_one) {
    scripted_storage orders;
    reader it(orders, 0);
    BOOST_TEST(it.use(count).has_value());
}

BOOST_AUTO_TEST_CASE(there_are_never_more_than_allowed) {
    scripted_storage orders;
    reader it(orders, 2);
    std::atomic<int> now{0}, most{0}, good{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 6; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 200; ++i) {
                    const auto got = it.use([&](repository_reader& in) -> result<statistics> {
                        const int inside = ++now;
                        int seen = most;
                        while (seen < inside && !most.compare_exchange_weak(seen, inside)) continue;
                        auto out = in.count();
                        --now;
                        if (t == 0 && i % 10 == 0) return errc::unavailable;
                        return out;
                    });
                    if (got) ++good;
                }
            });
        }
    }
    BOOST_TEST(good == 6 * 200 - 20);
    BOOST_TEST(most <= 2);
    BOOST_TEST(orders.open_max() <= 2U);
}

BOOST_AUTO_TEST_CASE(who_waits_gets_what_is_given_back) {
    scripted_storage orders;
    reader it(orders, 1);
    event taken, go_on;
    std::jthread first([&] {
        (void)it.use([&](repository_reader&) -> result<void> {
            taken.set();
            go_on.wait();
            return errc::unavailable;  // closed: the place is given back, not the connection
        });
    });
    taken.wait();
    bool served = false;
    std::jthread second([&] { served = it.use(count).has_value(); });
    go_on.set();
    first.join();
    second.join();
    BOOST_TEST(served);
    BOOST_TEST(orders.connects() == 2U);
}

BOOST_AUTO_TEST_CASE(connecting_keeps_nobody_else_waiting) {
    scripted_storage orders;
    reader it(orders, 2);
    bool served = false;
    std::jthread slow;
    (void)it.use([&](repository_reader&) -> result<void> {
        orders.hold("connect");
        slow = std::jthread([&] { served = it.use(count).has_value(); });
        orders.wait_for_held();
        return {};
    });
    BOOST_TEST(it.use(count).has_value());
    orders.let_go();
    slow.join();
    BOOST_TEST(served);
}

BOOST_AUTO_TEST_CASE(use_within_use_of_a_full_pool_is_an_error_and_no_hang) {
    scripted_storage orders;
    reader it(orders, 2);
    std::size_t depth = 0;
    const auto nested = it.use([&](repository_reader&) {
        ++depth;
        return it.use([&](repository_reader&) {
            ++depth;
            return it.use(count);
        });
    });
    BOOST_TEST(depth == 2U);
    BOOST_TEST(nested.error().code == errc::overloaded);
    BOOST_TEST(nested.error().detail == "use() within use(): no connection is left");
    BOOST_TEST(it.use(count).has_value());
}

// Each holds a connection and wants a second one: who of them asks last would wait for ever.
BOOST_AUTO_TEST_CASE(two_that_hold_connections_do_not_wait_for_each_other) {
    scripted_storage orders;
    reader it(orders, 2);
    event one_in, two_in;
    std::size_t refused = 0;
    std::mutex counting;
    const auto nest = [&](event& mine, event& theirs) {
        (void)it.use([&](repository_reader&) -> result<void> {
            mine.set();
            theirs.wait();
            const auto inner = it.use(count);
            if (inner) return {};
            const std::lock_guard lock(counting);
            ++refused;
            return {};
        });
    };
    std::jthread first([&] { nest(one_in, two_in); });
    std::jthread second([&] { nest(two_in, one_in); });
    first.join();
    second.join();
    BOOST_TEST(refused >= 1U);
}
