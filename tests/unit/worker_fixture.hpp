#ifndef ORDERPROC_TESTS_WORKER_FIXTURE_HPP
#define ORDERPROC_TESTS_WORKER_FIXTURE_HPP

// A shop in one thread: engine and workers run when the test says so, on a clock that it owns.

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shop_test {

using namespace orderproc;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

struct attempt {
    std::string order;
    std::string stage;
    std::uint32_t number;
    attempt_outcome outcome;
    std::string reason;
    milliseconds duration;
};

class recorder final : public observer {
public:
    void batch_written(const batch_report&) noexcept override {
        const std::lock_guard lock(mutex_);
        ++batches_;
    }
    void attempt_finished(const attempt_report& it) noexcept override {
        const std::lock_guard lock(mutex_);
        attempts_.push_back({std::string(it.order), std::string(it.stage), it.attempt, it.outcome,
                             std::string(it.reason), it.duration});
    }
    void lease_lost(std::string_view order) noexcept override {
        const std::lock_guard lock(mutex_);
        lost_.emplace_back(order);
    }
    void error(std::string_view where, const failure&) noexcept override {
        const std::lock_guard lock(mutex_);
        ++errors_[std::string(where)];
    }

    std::vector<attempt> attempts() const { return copy(attempts_); }
    std::vector<std::string> lost() const { return copy(lost_); }
    std::size_t batches() const { return copy(batches_); }
    std::map<std::string, int> errors() const { return copy(errors_); }

private:
    template <class T>
    T copy(const T& of) const {
        const std::lock_guard lock(mutex_);
        return of;
    }
    mutable std::mutex mutex_;
    std::size_t batches_ = 0;
    std::vector<attempt> attempts_;
    std::vector<std::string> lost_;
    std::map<std::string, int> errors_;
};

// Keeps the jobs until the test finishes them, or does what it is told at once.
class desk final : public processor {
public:
    void start(job work) override {
        ++started;
        if (at_once) return at_once(std::move(work));
        jobs.push_back(std::move(work));
        most = std::max(most, jobs.size());
    }
    job take(std::string_view order = {}) {
        auto found = jobs.begin();
        while (found != jobs.end() && !order.empty() && found->value().id.view() != order) ++found;
        BOOST_REQUIRE(found != jobs.end());
        job out = std::move(*found);
        jobs.erase(found);
        return out;
    }
    void finish(verdict said, std::string_view order = {}) {
        auto work = take(order);
        std::move(work).finish(std::move(said));
    }

    std::function<void(job)> at_once;
    std::deque<job> jobs;
    std::size_t started = 0;
    std::size_t most = 0;
};

inline worker_options quiet(std::string id) {
    worker_options out;
    out.worker_id = std::move(id);
    out.threads = 0;
    out.retry.jitter = 0;
    return out;
}

class shop {
public:
    explicit shop(const status_machine& machine = status_machine::standard(),
                  std::unique_ptr<storage> on = make_memory_storage())
        : orders(std::move(on)), front(*orders, machine, {time, random, watch}, options()) {}

    void create(const std::string& id) {
        BOOST_REQUIRE(!front.execute(testing::order_builder{}.id(id).submit()).ec);
    }
    error_code raise(const std::string& id, const std::string& event) {
        return front.execute(testing::raise(id, event, {.actor = "client"})).ec;
    }

    // Runs all until none has anything to do at this time.
    cycle_report settle(std::initializer_list<worker*> workers) {
        cycle_report sum;
        for (int i = 0; i < 100'000; ++i) {
            bool busy = *front_run() > 0;
            sum.in_flight = 0;
            sum.next_due = clock::instant::max();
            for (worker* it : workers) {
                const cycle_report done = it->run_once();
                busy = busy || done.next_due <= time.monotonic();
                sum.claimed += done.claimed;
                sum.advanced += done.advanced;
                sum.retried += done.retried;
                sum.failed += done.failed;
                sum.lease_lost += done.lease_lost;
                sum.in_flight += done.in_flight;
                sum.next_due = std::min(sum.next_due, done.next_due);
            }
            if (!busy && front.queued() == 0) return sum;
        }
        BOOST_FAIL("the shop never comes to rest");
        return sum;
    }
    // The same for a while, step by step.
    cycle_report pass(milliseconds total, std::initializer_list<worker*> workers,
                      milliseconds step = 100ms) {
        cycle_report last;
        for (milliseconds done{0}; done < total; done += step) {
            time.advance(step);
            last = settle(workers);
        }
        return last;
    }

    order find(const std::string& id) {
        const std::vector<std::string> ids{id};
        auto found = reader().load({ids, {}}).value().orders;
        BOOST_REQUIRE(found.front());
        return *found.front();
    }
    std::string status(const std::string& id) { return std::string(find(id).status.view()); }
    std::vector<journal_entry> history(const std::string& id) {
        return reader().history({id, {}, 1000}).value();
    }
    std::string events(const std::string& id) {
        std::string out;
        for (const auto& entry : history(id)) out += (out.empty() ? "" : " ") + entry.event;
        return out;
    }

    testing::manual_clock time;
    testing::seeded_random random;
    recorder watch;
    std::unique_ptr<storage> orders;
    engine front;

private:
    static engine_options options() {
        engine_options out;
        out.threads = 0;
        out.resolve_attempts = 1;
        return out;
    }
    result<std::size_t> front_run() {
        auto done = front.run_once();
        if (!done) return std::size_t{1};  // the storage failed: look again
        return done;
    }
    repository_reader& reader() {
        if (!reader_) reader_ = orders->connect_reader().value();
        return *reader_;
    }
    std::unique_ptr<repository_reader> reader_;
};

}  // namespace shop_test

#endif
