#include "worker_fixture.hpp"

#include <atomic>
#include <future>
#include <set>
#include <stdexcept>
#include <thread>

using namespace shop_test;

namespace {

using function = std::function<verdict(const order&, std::stop_token)>;

// Runs engine and worker until the attempts have finished: the pool has threads of its own.
struct pooled_shop : shop {
    explicit pooled_shop(function work, std::size_t threads = 1, worker_options how = quiet("w1"))
        : pool(make_processor(std::move(work), threads)),
          staff(std::make_unique<worker>(front, *pool, std::move(how))) {
        BOOST_REQUIRE(staff->start());
    }
    void run_until(std::size_t attempts) {
        while (watch.attempts().size() < attempts) {
            staff->run_once();
            front.run_once().value();
            std::this_thread::yield();
        }
    }
    std::unique_ptr<processor> pool;
    std::unique_ptr<worker> staff;
};

// Hands on more jobs than the other one asks for.
struct insatiable final : processor {
    explicit insatiable(processor& other) : to(&other) {}
    void start(job work) override { to->start(std::move(work)); }
    processor* to;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_function_is_run_on_the_pool) {
    std::atomic<bool> elsewhere{false};
    const auto here = std::this_thread::get_id();
    pooled_shop it([&](const order& of, std::stop_token) -> verdict {
        elsewhere = std::this_thread::get_id() != here;
        if (of.id.view() == "A") return advance{"complete"};
        return give_up{"not an A"};
    });
    it.create("A");
    it.create("B");
    it.run_until(2);
    BOOST_TEST(elsewhere);
    BOOST_TEST(it.status("A") == "COMPLETED");
    BOOST_TEST(it.find("B").last_error == "not an A");
}

BOOST_AUTO_TEST_CASE(an_exception_on_the_pool_is_a_retry_with_its_text) {
    pooled_shop it([](const order& of, std::stop_token) -> verdict {
        if (of.id.view() == "A") throw std::runtime_error("no route to bank");
        throw 42;
    });
    it.create("A");
    it.create("B");
    it.run_until(2);
    BOOST_TEST(it.status("A") == "PENDING");
    BOOST_TEST(it.find("A").last_error == "no route to bank");
    BOOST_TEST(it.status("B") == "PENDING");
    BOOST_TEST(it.find("B").last_error.find("std::exception") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(as_many_run_at_once_as_there_are_threads) {
    std::mutex mutex;
    std::condition_variable met;
    int inside = 0;
    pooled_shop it(
        [&](const order&, std::stop_token) -> verdict {
            std::unique_lock lock(mutex);
            ++inside;
            met.notify_all();
            met.wait(lock, [&] { return inside >= 3; });  // for ever with fewer threads
            return advance{"complete"};
        },
        3);
    for (const std::string id : {"A", "B", "C"}) it.create(id);
    it.run_until(3);
    BOOST_TEST(it.status("C") == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(at_least_one_thread_runs) {
    pooled_shop it([](const order&, std::stop_token) { return verdict(advance{"complete"}); }, 0);
    it.create("A");
    it.run_until(1);
    BOOST_TEST(it.status("A") == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(the_token_stops_what_runs_and_what_waits_is_not_begun) {
    std::atomic<int> begun{0};
    std::promise<void> running;
    std::promise<void> all_stopped;  // tokens are stopped one after the other
    const std::shared_future<void> leave(all_stopped.get_future());
    pooled_shop it([&](const order&, std::stop_token stop) -> verdict {
        if (++begun == 1) running.set_value();
        std::promise<void> stopped;
        const std::stop_callback told(stop, [&] { stopped.set_value(); });
        stopped.get_future().wait();
        leave.wait();
        return advance{"complete"};
    });
    it.create("A");
    it.create("B");
    it.settle({it.staff.get()});
    running.get_future().wait();
    it.staff->stop(0ms);
    BOOST_TEST(it.settle({it.staff.get()}).in_flight == 0U);
    all_stopped.set_value();
    it.pool.reset();  // joins
    BOOST_TEST(begun == 1);
    BOOST_TEST(it.status("A") == "PENDING");  // too late
    BOOST_TEST(it.find("B").attempts == 0U);
}

BOOST_AUTO_TEST_CASE(a_pool_that_is_destroyed_leaves_what_waits_unfinished) {
    std::promise<void> running, go_on;
    auto gate = go_on.get_future().share();
    std::atomic<int> begun{0};
    auto pool = make_processor(
        [&](const order&, std::stop_token) -> verdict {
            if (++begun == 1) running.set_value();
            gate.wait();
            return advance{"complete"};
        },
        1);
    insatiable between(*pool);
    shop it;
    worker staff(it.front, between, quiet("w1"));
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.create("B");
    it.settle({&staff});
    running.get_future().wait();
    std::thread end([&] { pool.reset(); });
    go_on.set_value();
    end.join();
    it.settle({&staff});
    BOOST_TEST(it.status("A") == "COMPLETED");
    // The one thread may have begun the second before it was told to end.
    if (begun == 1) BOOST_TEST(it.find("B").last_error == "not finished");
}

BOOST_AUTO_TEST_CASE(no_job_waits_for_a_thread_while_its_time_runs) {
    std::promise<void> running, go_on;
    auto gate = go_on.get_future().share();
    std::atomic<int> begun{0};
    worker_options how = quiet("w1");
    how.timeout = 1s;
    how.retry.base = 0ms;
    pooled_shop it(
        [&](const order&, std::stop_token) -> verdict {
            if (++begun == 1) running.set_value();
            gate.wait();
            return advance{"complete"};
        },
        1, how);
    BOOST_TEST(it.pool->capacity() == 1U);
    it.create("A");
    it.create("B");
    it.settle({it.staff.get()});
    running.get_future().wait();
    it.pass(500s, {it.staff.get()}, 1s);
    // The one that hangs has timed out, and its thread is taken all the same.
    BOOST_TEST(it.pool->capacity() == 0U);
    BOOST_TEST(it.find("A").attempts + it.find("B").attempts == 1U);
    go_on.set_value();
    it.run_until(3);
    BOOST_TEST(it.status("A") == "COMPLETED");
    BOOST_TEST(it.status("B") == "COMPLETED");
    BOOST_TEST(begun == 3);
    BOOST_TEST(it.pool->capacity() == 1U);
}

// Of a worker that does not ask for the capacity.
BOOST_AUTO_TEST_CASE(jobs_that_time_out_behind_one_that_hangs_do_not_pile_up) {
    std::promise<void> running, go_on;
    auto gate = go_on.get_future().share();
    std::atomic<int> begun{0};
    const auto pool = make_processor(
        [&](const order&, std::stop_token) -> verdict {
            if (++begun == 1) running.set_value();
            gate.wait();
            return advance{"complete"};
        },
        1);
    insatiable between(*pool);
    worker_options how = quiet("w1");
    how.timeout = 1s;
    how.retry.base = 0ms;
    how.retry.attempts_max = 1'000;
    shop it;
    worker staff(it.front, between, how);
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.settle({&staff});
    running.get_future().wait();
    it.pass(500s, {&staff}, 1s);
    BOOST_TEST(it.find("A").attempts > 400U);
    go_on.set_value();
    while (it.status("A") != "COMPLETED") {
        it.settle({&staff});
        std::this_thread::yield();
    }
    BOOST_TEST(begun == 2);  // the stopped ones were thrown away unread
}

BOOST_AUTO_TEST_CASE(a_job_can_be_moved_and_assigned) {
    shop it;
    desk table;
    worker staff(it.front, table, quiet("w1"));
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.create("B");
    it.settle({&staff});
    job one = table.take("A");
    job two = table.take("B");
    one = std::move(two);  // A is destroyed unfinished
    BOOST_TEST(one.value().id.view() == "B");
    std::move(one).finish(advance{"complete"});
    it.settle({&staff});
    BOOST_TEST(it.find("A").last_error == "not finished");
    BOOST_TEST(it.status("B") == "COMPLETED");
}
