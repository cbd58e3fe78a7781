// One loop for all that works, and when there is nothing left to do.

#include <orderproc/follower.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/relay.hpp>
#include <orderproc/runnable.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/fault_storage.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/work_queue_consumer.hpp>
#include <orderproc/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;
using testing::order_builder;

static_assert(runnable<engine> && runnable<worker> && runnable<journal_follower> &&
              runnable<relay> && runnable<work_queue_consumer>);

namespace {

struct immediate final : processor {
    void start(job it) override {
        if (before) before();
        std::move(it).finish(said);
    }
    std::function<void()> before;
    verdict said = advance{"complete"};
};

struct shop {
    explicit shop(std::size_t threads)
        : orders(*stored, status_machine::standard(), {time, random, nobody},
                 {.threads = threads, .on_ready = [this] { ++calls; }}) {}

    std::string status_of(const std::string& id) {
        const auto found = reads.use([&](repository_reader& from) {
            return from.load({.ids = {&id, 1}});
        });
        return std::string(found.value().orders.at(0).value().status.view());
    }

    std::atomic<int> calls{0};
    testing::manual_clock time;
    testing::seeded_random random;
    observer nobody;
    std::unique_ptr<storage> stored = make_memory_storage();
    engine orders;
    reader reads{*stored};
    immediate work;
};

struct last_outcome final : completion {
    void complete(change_outcome& outcome) noexcept override {
        ec = outcome.ec;
        ++calls;
        if (then) then();
    }
    error_code ec;
    int calls = 0;
    std::function<void()> then;
};

}  // namespace

BOOST_AUTO_TEST_CASE(one_loop_drives_them_all) {
    shop it(0);
    worker works(it.orders, it.work, {.threads = 0});
    works.start().value();
    last_outcome done;
    BOOST_REQUIRE(it.orders.submit(order_builder{}.id("A").submit(), done));
    int turns = 0;
    while (run_due(it.time, works, it.orders) <= it.time.monotonic()) BOOST_REQUIRE(++turns < 50);
    BOOST_TEST(done.calls == 1);
    BOOST_TEST(it.status_of("A") == "COMPLETED");
    // Until the next poll there is nothing to do, unless somebody asks for something.
    BOOST_TEST((works.next_due() > it.time.monotonic()));
    BOOST_TEST((it.orders.next_due() == clock::instant::max()));
    it.orders.wake();
    BOOST_TEST((works.next_due() <= it.time.monotonic()));
}

BOOST_AUTO_TEST_CASE(a_host_is_called_once_for_what_waits) {
    shop it(0);
    last_outcome first, second, third;
    BOOST_REQUIRE(it.orders.submit(order_builder{}.id("A").submit(), first));
    BOOST_TEST(it.calls == 1);
    BOOST_REQUIRE(it.orders.submit(order_builder{}.id("B").submit(), second));
    BOOST_TEST(it.calls == 1);
    first.then = [&] { (void)it.orders.submit(order_builder{}.id("C").submit(), third); };
    BOOST_TEST(it.orders.run_once().value() == 2U);
    BOOST_TEST(it.calls == 1);  // it was running, so the host looks at next_due()
    BOOST_TEST((it.orders.next_due() <= it.time.monotonic()));
    BOOST_TEST(it.orders.run_once().value() == 1U);
    BOOST_TEST(third.calls == 1);
    last_outcome fourth;
    BOOST_REQUIRE(it.orders.submit(order_builder{}.id("D").submit(), fourth));
    BOOST_TEST(it.calls == 2);
    (void)it.orders.run_once();
}

BOOST_AUTO_TEST_CASE(an_engine_stops_from_within_a_completion_and_commits_the_rest) {
    for (const std::size_t threads : {0U, 1U}) {
        last_outcome first, second;
        {
            shop it(threads);
            first.then = [&] { it.orders.stop(); };
            BOOST_REQUIRE(it.orders.submit(order_builder{}.id("A").submit(), first));
            if (threads == 0) {
                BOOST_REQUIRE(it.orders.submit(order_builder{}.id("B").submit(), second));
                (void)it.orders.run_once();
                BOOST_TEST(
                    (it.orders.submit(order_builder{}.id("C").submit(), second).error().code ==
                     errc::stopped));
            }
        }
        BOOST_TEST(first.calls == 1);
        BOOST_TEST(!first.ec);
        if (threads == 0) BOOST_TEST((second.calls == 1 && !second.ec));
    }
}

// On its own thread it returns at once, and the thread drains.
BOOST_AUTO_TEST_CASE(a_worker_stops_from_within_its_processor) {
    shop it(1);
    std::promise<void> stopped;
    {
        worker works(it.orders, it.work);
        it.work.before = [&] {
            works.stop(std::chrono::hours(1));
            stopped.set_value();
        };
        works.start().value();
        BOOST_REQUIRE(!it.orders.execute(order_builder{}.id("A").submit()).ec);
        stopped.get_future().wait();
        works.stop(std::chrono::hours(1));  // waits until it has drained
        BOOST_TEST(it.status_of("A") == "COMPLETED");
    }
}

BOOST_AUTO_TEST_CASE(what_waits_or_is_worked_on_is_not_idle) {
    shop it(0);
    const auto idle = [&] {
        return it.reads
            .use([&](repository_reader& from) { return is_idle(from, it.orders.machine()); })
            .value();
    };
    BOOST_TEST(idle());
    BOOST_REQUIRE(!it.orders.execute(order_builder{}.id("A").submit()).ec);
    BOOST_TEST(!idle());
    it.work.said = retry_later{"closed", std::chrono::hours(24)};
    worker works(it.orders, it.work, {.threads = 0});
    works.start().value();
    while (run_due(it.time, works, it.orders) <= it.time.monotonic()) continue;
    BOOST_TEST(!idle());  // it waits until tomorrow
    BOOST_REQUIRE(!it.orders.execute(testing::raise("A", "cancel")).ec);
    BOOST_TEST(idle());
    BOOST_REQUIRE(!it.orders.execute(testing::erase("A")).ec);
    BOOST_TEST(idle());
}

BOOST_AUTO_TEST_CASE(a_batch_program_waits_until_all_is_settled) {
    const auto stored = make_memory_storage();
    engine orders(*stored, status_machine::standard(), system_runtime());
    reader reads(*stored);
    immediate work;
    std::promise<void> begin;
    work.before = [&, begun = begin.get_future().share()] { begun.wait(); };
    worker works(orders, work);
    works.start().value();
    for (int i = 0; i < 20; ++i) BOOST_REQUIRE(!orders.execute(order_builder{}.submit()).ec);
    BOOST_TEST(!wait_until_idle(orders, reads, 0ms).value());
    auto waiting = std::async(std::launch::async, [&] {
        return wait_until_idle(orders, reads, std::chrono::hours(1)).value();
    });
    begin.set_value();
    BOOST_TEST(waiting.get());
    const auto counted = reads.use([](repository_reader& from) { return from.count(); }).value();
    BOOST_TEST(counted.completed == 20U);
    works.stop(10s);
}

BOOST_AUTO_TEST_CASE(a_storage_that_fails_is_asked_again_until_the_time_is_over) {
    const auto stored = make_memory_storage();
    testing::fault_storage faulty(*stored);
    engine orders(*stored, status_machine::standard(), system_runtime());
    reader reads(faulty);
    faulty.next(testing::fault_call::read, testing::fault::unavailable);
    BOOST_TEST((wait_until_idle(orders, reads, 0ms).error().code == errc::unavailable));
    faulty.next(testing::fault_call::read, testing::fault::unavailable);
    auto waiting = std::async(std::launch::async, [&] {
        return wait_until_idle(orders, reads, std::chrono::hours(1)).value();
    });
    BOOST_TEST(waiting.get());  // after the next look
}
