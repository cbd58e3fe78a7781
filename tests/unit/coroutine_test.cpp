#include <orderproc/coroutine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// All of it on this thread, and in manual time.
struct fixture : observer {
    void attempt_finished(const attempt_report& it) noexcept override {
        outcomes.push_back(it.outcome);
        reasons.emplace_back(it.reason);
    }
    static engine_options by_hand() {
        engine_options out;
        out.threads = 0;
        return out;
    }
    void create(const char* id) {
        BOOST_REQUIRE(!orders.execute(testing::order_builder{}.id(id).submit()).ec);
    }
    void settle(worker& staff) {
        for (int i = 0; i < 10; ++i) {
            staff.run_once();
            (void)orders.run_once();
            context.restart();
            context.poll();
        }
    }
    worker_options options() {
        worker_options out;
        out.threads = 0;
        out.timeout = 10s;
        return out;
    }

    asio::io_context context;
    testing::manual_clock time;
    testing::seeded_random random;
    std::unique_ptr<storage> stored = make_memory_storage();
    engine orders{*stored, status_machine::standard(), runtime{time, random, *this}, by_hand()};
    std::vector<attempt_outcome> outcomes;
    std::vector<std::string> reasons;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_coroutine_decides, fixture) {
    const auto work = make_coroutine_processor(
        context.get_executor(), [](const order& it, std::stop_token) -> asio::awaitable<verdict> {
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            if (it.id.view() == "B") co_return give_up{"no"};
            if (it.id.view() == "C") throw std::runtime_error("broken");
            co_return advance{"complete"};
        });
    worker staff(orders, *work, options());
    BOOST_REQUIRE(staff.start().has_value());
    for (const char* id : {"A", "B", "C"}) create(id);
    settle(staff);
    BOOST_TEST((outcomes == std::vector{attempt_outcome::advanced, attempt_outcome::gave_up,
                                        attempt_outcome::retried}));
    BOOST_TEST((reasons == std::vector<std::string>{"", "no", "broken"}));
}

BOOST_FIXTURE_TEST_CASE(any_number_waits_at_a_time, fixture) {
    std::size_t waiting = 0;
    asio::steady_timer gate(context, std::chrono::steady_clock::time_point::max());
    const auto work = make_coroutine_processor(
        context.get_executor(), [&](const order&, std::stop_token) -> asio::awaitable<verdict> {
            ++waiting;
            try {
                co_await gate.async_wait(asio::use_awaitable);
            } catch (const std::exception&) {  // opened
            }
            co_return advance{"complete"};
        });
    worker staff(orders, *work, options());
    BOOST_REQUIRE(staff.start().has_value());
    for (int i = 0; i < 1000; ++i) create(("A-" + std::to_string(i)).c_str());
    settle(staff);
    BOOST_TEST(waiting == 1000U);
    BOOST_TEST(outcomes.empty());
    gate.cancel();
    settle(staff);
    BOOST_TEST(outcomes.size() == 1000U);
}

BOOST_FIXTURE_TEST_CASE(a_time_out_reaches_the_coroutine, fixture) {
    asio::steady_timer gate(context, std::chrono::steady_clock::time_point::max());
    bool stopped = false;
    const auto work = make_coroutine_processor(
        context.get_executor(),
        [&](const order&, std::stop_token stop) -> asio::awaitable<verdict> {
            const std::stop_callback wake(stop, [&] { gate.cancel(); });
            try {
                co_await gate.async_wait(asio::use_awaitable);
            } catch (const std::exception&) {
            }
            stopped = stop.stop_requested();
            co_return advance{"complete"};
        });
    worker staff(orders, *work, options());
    BOOST_REQUIRE(staff.start().has_value());
    create("A");
    settle(staff);
    time.advance(10s);
    settle(staff);
    BOOST_TEST(stopped);
    BOOST_TEST((outcomes == std::vector{attempt_outcome::timed_out}));  // and nothing after it
}

BOOST_AUTO_TEST_CASE(a_context_that_goes_leaves_its_jobs_unfinished) {
    fixture it;
    auto other = std::make_unique<asio::io_context>();
    const auto work = make_coroutine_processor(
        other->get_executor(), [](const order&, std::stop_token) -> asio::awaitable<verdict> {
            asio::steady_timer never(co_await asio::this_coro::executor,
                                     std::chrono::steady_clock::time_point::max());
            co_await never.async_wait(asio::use_awaitable);
            co_return advance{"complete"};
        });
    worker staff(it.orders, *work, it.options());
    BOOST_REQUIRE(staff.start().has_value());
    it.create("A");
    it.settle(staff);
    other->poll();
    other.reset();
    it.settle(staff);
    BOOST_TEST((it.outcomes == std::vector{attempt_outcome::retried}));
    BOOST_TEST((it.reasons == std::vector<std::string>{"not finished"}));
}
