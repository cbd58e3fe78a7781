#include "worker_fixture.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>

using namespace shop_test;

namespace {

struct staffed_shop : shop {
    explicit staffed_shop(worker_options how = quiet("w1")) {
        staff = std::make_unique<worker>(front, table, std::move(how));
        BOOST_REQUIRE(staff->start());
    }
    cycle_report settle() { return shop::settle({staff.get()}); }
    cycle_report pass(milliseconds total) { return shop::pass(total, {staff.get()}); }

    desk table;
    std::unique_ptr<worker> staff;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_shutdown_releases_and_gives_the_attempt_back) {
    staffed_shop it;
    it.create("A");
    it.create("B");
    it.settle();
    it.staff->stop(0ms);
    const cycle_report done = it.settle();
    BOOST_TEST(done.in_flight == 0U);
    BOOST_TEST((done.next_due == clock::instant::max()));
    for (const std::string id : {"A", "B"}) {
        const order after = it.find(id);
        BOOST_TEST(after.status.view() == "PENDING");
        BOOST_TEST(after.attempts == 0U);
        BOOST_TEST(!after.next_attempt_at);
        BOOST_TEST(after.last_error == "");
        BOOST_TEST(it.history(id).back().event == "release");
        BOOST_TEST(it.history(id).back().reason == "shut down");
    }
    BOOST_TEST((it.watch.attempts().back().outcome == attempt_outcome::released));
    job late = it.table.take("A");
    BOOST_TEST(late.stop().stop_requested());
    std::move(late).finish(advance{"complete"});
    it.create("C");
    it.pass(5s);
    BOOST_TEST(it.status("A") == "PENDING");
    BOOST_TEST(it.table.started == 2U);  // no claims any more

    // Somebody else can start at once.
    desk table;
    worker other(it.front, table, quiet("w2"));
    BOOST_REQUIRE(other.start());
    it.shop::settle({&other});
    BOOST_TEST(table.jobs.size() == 3U);
    BOOST_TEST(table.jobs.front().attempt() == 1U);
}

BOOST_AUTO_TEST_CASE(a_drain_lets_jobs_finish_until_its_deadline) {
    worker_options how = quiet("w1");
    how.lease = 3s;
    staffed_shop it(how);
    for (const std::string id : {"A", "B", "C"}) it.create(id);
    it.settle();
    it.staff->stop(10s);
    it.create("D");
    it.pass(9900ms);
    BOOST_TEST(it.status("A") == "PROCESSING");  // its lease has been renewed, too
    BOOST_TEST(it.table.started == 3U);
    it.table.finish(advance{"complete"}, "A");
    it.table.finish(retry_later{"busy", {}}, "B");
    const cycle_report draining = it.settle();
    BOOST_TEST(draining.in_flight == 1U);
    BOOST_TEST(it.status("A") == "COMPLETED");
    BOOST_TEST(it.find("B").attempts == 1U);  // a verdict is a verdict
    BOOST_TEST((draining.next_due - it.time.monotonic()).count() <= 100);
    BOOST_TEST(it.pass(100ms).in_flight == 0U);
    BOOST_TEST(it.find("C").attempts == 0U);
    BOOST_TEST(it.watch.lost().empty());
}

BOOST_AUTO_TEST_CASE(a_shorter_drain_wins) {
    staffed_shop it;
    it.create("A");
    it.settle();
    it.staff->stop(1h);
    it.staff->stop(2s);
    it.staff->stop(1h);
    BOOST_TEST(it.settle().in_flight == 1U);
    BOOST_TEST(it.pass(2s).in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(what_a_claim_under_way_brings_is_released) {
    staffed_shop it;
    it.settle();
    it.create("A");
    it.staff->run_once();  // submits the claim
    it.staff->stop(1h);
    BOOST_TEST(it.staff->run_once().in_flight == 1U);
    BOOST_TEST(it.settle().in_flight == 0U);
    BOOST_TEST(it.table.started == 0U);
    BOOST_TEST(it.events("A") == "create start release");
    BOOST_TEST(it.find("A").attempts == 0U);
}

BOOST_AUTO_TEST_CASE(a_shutdown_does_not_wait_for_ever) {
    staffed_shop it;
    it.create("A");
    it.settle();
    it.staff->stop(1s);
    // Nobody runs the engine.
    it.time.advance(1s);
    BOOST_TEST(it.staff->run_once().in_flight == 1U);
    it.time.advance(4999ms);
    BOOST_TEST(it.staff->run_once().in_flight == 1U);
    it.time.advance(1ms);
    it.staff->run_once();
    BOOST_TEST(it.staff->run_once().in_flight == 0U);
    BOOST_TEST(it.watch.errors()["shutdown"] == 1);
    it.settle();  // the answer comes after all
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_destroyed_releases) {
    staffed_shop it;
    it.create("A");
    it.create("B");
    it.settle();
    it.table.finish(advance{"complete"}, "A");
    it.staff.reset();
    it.shop::settle({});
    BOOST_TEST(it.status("A") == "COMPLETED");
    BOOST_TEST(it.find("B").attempts == 0U);
    BOOST_TEST(it.status("B") == "PENDING");
    BOOST_TEST(it.table.jobs.front().stop().stop_requested());
}

BOOST_AUTO_TEST_CASE(jobs_and_commits_may_outlive_the_worker) {
    std::optional<job> orphan;
    {
        staffed_shop it;
        for (const std::string id : {"A", "B", "C"}) it.create(id);
        it.settle();
        it.time.advance(10s);
        it.staff->run_once();  // renewals under way
        it.table.finish(advance{"complete"}, "A");
        it.staff->run_once();  // a commit under way
        orphan = it.table.take("B");
        it.create("D");
        it.staff->run_once();  // and a claim
        it.staff.reset();
        it.table.finish(advance{"complete"}, "C");
        it.shop::settle({});
        BOOST_TEST(it.status("A") == "COMPLETED");
        BOOST_TEST(it.status("C") == "PENDING");
    }
    BOOST_TEST(orphan->value().id.view() == "B");
    BOOST_TEST(orphan->stage() == "PROCESSING");
    std::move(*orphan).finish(advance{"complete"});
}

// Its end is on the way to the storage, but not there yet.
BOOST_AUTO_TEST_CASE(what_is_said_after_the_time_out_is_too_late) {
    shop it;
    desk table;
    worker_options how = quiet("w1");
    how.timeout = 90s;
    worker staff(it.front, table, how);
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.settle({&staff});
    job late = table.take();
    it.time.advance(90s);
    staff.run_once();
    BOOST_TEST(late.stop().stop_requested());
    std::move(late).finish(advance{"complete"});
    staff.run_once();
    it.settle({&staff});
    BOOST_TEST(it.events("A") == "create start release");
    BOOST_TEST(it.watch.attempts().size() == 1U);
    BOOST_TEST(it.find("A").last_error == "timed out after 90000 ms");
}

BOOST_AUTO_TEST_CASE(stop_is_idempotent_and_final) {
    staffed_shop it;
    it.staff->stop(0ms);
    it.staff->stop(0ms);
    const auto again = it.staff->start();
    BOOST_REQUIRE(!again);
    BOOST_TEST((again.error().code == errc::stopped));
    worker never(it.front, it.table, quiet("w2"));
    never.stop(0ms);
    BOOST_TEST(never.run_once().in_flight == 0U);
}

// With threads of its own, on the clock of the system.

namespace {

// Counts what the journal says, and lets the test wait for it.
class gate {
public:
    void open() {
        const std::lock_guard lock(mutex_);
        ++passed_;
        changed_.notify_all();
    }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return passed_ >= count; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t passed_ = 0;
};

class completions final : public observer {
public:
    void attempt_finished(const attempt_report& it) noexcept override {
        if (it.outcome == attempt_outcome::advanced) done.open();
        if (it.outcome == attempt_outcome::released) ++released;
    }
    gate done;
    std::atomic<int> released{0};
};

struct live_shop {
    explicit live_shop(completions& watch)
        : orders(make_memory_storage()),
          front(*orders, status_machine::standard(), system_runtime(watch), {}) {}
    void create(int from, int count) {
        for (int i = from; i < from + count; ++i) {
            const std::string id = "N" + std::to_string(i);
            const auto done = front.execute(testing::order_builder{}.id(id).submit());
            if (done.ec) throw std::runtime_error(done.ec.message());  // on any thread
        }
    }
    std::map<std::string, std::uint64_t> counts() {
        std::map<std::string, std::uint64_t> out;
        const auto reader = orders->connect_reader().value();
        for (const auto& [status, count, due] : reader->count().value().orders) {
            if (count > 0) out[std::string(status.view())] = count;
        }
        return out;
    }
    std::unique_ptr<storage> orders;
    engine front;
};

worker_options threaded(std::string id) {
    worker_options out;
    out.worker_id = std::move(id);
    out.in_flight_max = 50;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(threads_finish_all_orders_between_them) {
    completions watch;
    live_shop it(watch);
    const auto pool = make_processor(
        [](const order&, std::stop_token) { return verdict(advance{"complete"}); }, 3);
    worker one(it.front, *pool, threaded("w1")), two(it.front, *pool, threaded("w2"));
    BOOST_REQUIRE(one.start());
    BOOST_REQUIRE(two.start());
    std::thread client([&] { it.create(1000, 300); });
    it.create(0, 300);
    client.join();
    watch.done.wait_for(600);
    one.stop(1s);
    BOOST_TEST(it.counts()["COMPLETED"] == 600U);
}

BOOST_AUTO_TEST_CASE(stop_waits_for_the_releases) {
    completions watch;
    live_shop it(watch);
    std::mutex mutex;
    std::vector<job> held;
    gate started;
    struct hoard final : processor {
        hoard(std::mutex& m, std::vector<job>& h, gate& g) : mutex_(m), held_(h), started_(g) {}
        void start(job work) override {
            const std::lock_guard lock(mutex_);
            held_.push_back(std::move(work));
            started_.open();
        }
        std::mutex& mutex_;
        std::vector<job>& held_;
        gate& started_;
    } work(mutex, held, started);
    {
        worker staff(it.front, work, threaded("w1"));
        BOOST_REQUIRE(staff.start());
        it.create(0, 20);
        started.wait_for(20);
        std::thread other([&] { staff.stop(1h); });
        staff.stop(0ms);
        other.join();
        BOOST_TEST(it.counts()["PENDING"] == 20U);
        BOOST_TEST(watch.released >= 20);  // a claim that was under way may get some once more
    }
    held.clear();  // after the worker
}

BOOST_AUTO_TEST_CASE(a_processor_may_stop_its_worker) {
    completions watch;
    live_shop it(watch);
    struct stopper final : processor {
        void start(job work) override {
            staff->stop(1h);
            std::move(work).finish(advance{"complete"});
        }
        worker* staff = nullptr;
    } work;
    worker staff(it.front, work, threaded("w1"));
    work.staff = &staff;
    it.create(0, 1);
    BOOST_REQUIRE(staff.start());
    watch.done.wait_for(1);
    staff.stop(1h);
    BOOST_TEST(it.counts()["COMPLETED"] == 1U);
}

BOOST_AUTO_TEST_CASE(a_host_drives_the_worker_from_its_own_loop) {
    completions watch;
    live_shop it(watch);
    const auto pool = make_processor(
        [](const order&, std::stop_token) { return verdict(advance{"complete"}); }, 2);
    gate ready;
    worker_options how = threaded("w1");
    how.threads = 0;
    how.on_ready = [&] { ready.open(); };
    worker staff(it.front, *pool, how);
    BOOST_REQUIRE(staff.start());
    std::size_t advanced = 0, calls = 0;
    std::thread client([&] { it.create(0, 200); });
    while (advanced < 200) {
        ready.wait_for(++calls);  // no timer: what it is told must be enough
        cycle_report done = staff.run_once();
        advanced += done.advanced;
        while (done.next_due <= system_runtime().time.monotonic()) {
            done = staff.run_once();
            advanced += done.advanced;
        }
    }
    client.join();
    BOOST_TEST(it.counts()["COMPLETED"] == 200U);
}

BOOST_AUTO_TEST_CASE(a_stop_callback_runs_within_run_once_and_may_finish_the_job) {
    worker_options how = quiet("w1");
    how.timeout = 10s;
    staffed_shop it(how);
    it.create("A");
    it.settle();
    std::optional<job> work = it.table.take("A");
    const std::stop_token stop = work->stop();
    int told = 0;
    const std::stop_callback callback(stop, [&] {
        ++told;
        std::move(*work).finish(advance{"complete"});
    });
    it.time.advance(10s);
    BOOST_TEST(told == 0);  // time alone stops nothing: somebody has to call run_once()
    const cycle_report done = it.settle();
    BOOST_TEST(told == 1);
    BOOST_TEST(done.retried == 1U);
    BOOST_TEST(it.status("A") == "PENDING");  // what the job said came too late

    const std::stop_callback late(stop, [&] { ++told; });
    BOOST_TEST(told == 2);  // at once, on this thread
}

BOOST_AUTO_TEST_CASE(a_stop_callback_may_destroy_the_job) {
    staffed_shop it;
    it.create("A");
    it.settle();
    std::optional<job> work = it.table.take("A");
    const std::stop_callback callback(work->stop(), [&] { work.reset(); });
    it.staff->stop(0ms);
    BOOST_TEST(work.has_value());  // with threads 0, stop() leaves the rest to run_once()
    BOOST_TEST(it.settle().in_flight == 0U);
    BOOST_TEST(!work.has_value());
    BOOST_TEST(it.find("A").attempts == 0U);  // released, as it was before
}

BOOST_AUTO_TEST_CASE(a_stop_callback_runs_on_the_thread_of_the_worker) {
    struct watcher final : processor {
        void start(job work) override {
            started_on = std::this_thread::get_id();
            held.emplace(std::move(work));
            callback.emplace(held->stop(), [this] { stopped_on = std::this_thread::get_id(); });
            started.set_value();
        }
        std::thread::id started_on, stopped_on;
        std::optional<job> held;
        std::optional<std::stop_callback<std::function<void()>>> callback;
        std::promise<void> started;
    };
    const auto stored = make_memory_storage();
    engine orders(*stored, status_machine::standard(), system_runtime());
    watcher work;
    worker staff(orders, work);
    BOOST_REQUIRE(staff.start());
    BOOST_REQUIRE(!orders.execute(testing::order_builder{}.submit()).ec);
    work.started.get_future().wait();
    staff.stop(0ms);
    BOOST_TEST((work.started_on == work.stopped_on));
    BOOST_TEST((work.stopped_on != std::this_thread::get_id()));
}
