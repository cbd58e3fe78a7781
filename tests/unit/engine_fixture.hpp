#ifndef ORDERPROC_TESTS_UNIT_ENGINE_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_ENGINE_FIXTURE_HPP

// An engine's surroundings that remember what they were told, and time that stands still.

#include "scripted_storage.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::tests {

using names = std::vector<std::string>;

class recorder final : public completion {
public:
    void complete(change_outcome& outcome) noexcept override {
        std::function<void()> follow_up;
        {
            const std::lock_guard lock(mutex_);
            got_ = std::move(outcome);
            ++calls_;
            follow_up = then;
            changed_.notify_all();
        }
        if (follow_up) follow_up();
    }
    int calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    change_outcome wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return calls_ > 0; });
        return got_;
    }
    error_code ec() const {
        const std::lock_guard lock(mutex_);
        return got_.ec;
    }
    std::function<void()> then;  // set before submitting

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int calls_ = 0;
    change_outcome got_;
};

class claim_recorder final : public claim_completion {
public:
    void complete(error_code ec, claim_outcome& outcome) noexcept override {
        got_ec = ec;
        got = std::move(outcome);
        ++calls;
    }
    int calls = 0;
    error_code got_ec;
    claim_outcome got;
};

class cursor_recorder final : public cursor_completion {
public:
    void complete(const cursor_outcome& outcome) noexcept override {
        got = outcome;
        ++calls;
    }
    int calls = 0;
    cursor_outcome got;
};

class record_recorder final : public record_completion {
public:
    void complete(record_outcome& outcome) noexcept override {
        got = std::move(outcome);
        ++calls;
    }
    int calls = 0;
    record_outcome got;
};

class purge_recorder final : public purge_completion {
public:
    void complete(const purge_outcome& outcome) noexcept override {
        got = outcome;
        ++calls;
    }
    int calls = 0;
    purge_outcome got;
};

class counting_listener final : public commit_listener {
public:
    void committed() noexcept override {
        ++calls;
        if (then) then();
    }
    std::atomic<int> calls{0};
    std::function<void()> then;
};

class recording_observer final : public observer {
public:
    void batch_written(const batch_report& it) noexcept override {
        const std::lock_guard lock(mutex);
        batches.push_back(it);
    }
    void transition_committed(const transition_report& it) noexcept override {
        const std::lock_guard lock(mutex);
        transitions.push_back(std::string(it.after.id.view()) + " " + std::string(it.event));
    }
    void orders_claimed(const claim_report& it) noexcept override {
        const std::lock_guard lock(mutex);
        claimed.push_back({it.handed_out, it.expired, it.exhausted});
    }
    void key_used(key_use it) noexcept override {
        const std::lock_guard lock(mutex);
        keys.push_back(it);
    }
    void error(std::string_view where, const failure& what) noexcept override {
        const std::lock_guard lock(mutex);
        errors.push_back(std::string(where) + ": " + what.detail);
    }
    std::mutex mutex;
    std::vector<batch_report> batches;
    names transitions;
    std::vector<key_use> keys;
    std::vector<std::vector<std::size_t>> claimed;
    names errors;
};

inline engine_options by_hand(std::size_t batch_max = 512, std::size_t queue_max = 8192) {
    engine_options out;
    out.threads = 0;
    out.batch_max = batch_max;
    out.queue_max = queue_max;
    out.resolve_attempts = 3;
    return out;
}

inline engine_options threaded(std::size_t threads = 1) {
    engine_options out;
    out.threads = threads;
    return out;
}

struct fixture {
    explicit fixture(std::size_t writers_max = 1) : orders(writers_max) {}

    scripted_storage orders;
    testing::manual_clock time;
    testing::seeded_random random;
    recording_observer watch;
    runtime with{time, random, watch};
    const status_machine& machine = status_machine::standard();
    std::deque<recorder> asked;

    recorder& ask(engine& to, command what) {
        recorder& done = asked.emplace_back();
        BOOST_REQUIRE(to.submit(std::move(what), done));
        return done;
    }
    std::vector<names> seen() const {
        std::vector<names> out;
        for (const seen_batch& it : orders.batches()) out.push_back(it.orders);
        return out;
    }
    // For a minute.
    commit_cursor move_of(std::string name, std::string owner, std::uint64_t offset) {
        return {std::move(name), std::move(owner), feed_position{1, offset},
                time.now() + std::chrono::minutes(1)};
    }
    claim work(std::size_t limit = 10) const {
        claim out;
        out.stage = &machine.stages()[0];
        out.worker_id = "w";
        out.expires_at = timestamp::max();
        out.limit = limit;
        return out;
    }
};

inline change renewal(std::string order, lease_token lease, timestamp until) {
    change out;
    out.order = std::move(order);
    out.event = "renew";
    out.action = renew_lease{until};
    out.lease = lease;
    return out;
}

}  // namespace orderproc::tests

#endif
