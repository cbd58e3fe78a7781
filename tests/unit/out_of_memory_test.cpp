// Memory runs out at each allocation of the way of an order: nothing ends the program, every
// outcome is true, and everything goes on once there is memory again.

#include "failing_allocator.hpp"
#include "scripted_broker.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/follower.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/relay.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/verify.hpp>
#include <orderproc/work_queue_consumer.hpp>
#include <orderproc/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

using namespace orderproc;
using namespace shop_test;
using namespace std::chrono_literals;

namespace {

constexpr std::array<const char*, 3> names{"A", "B", "C"};

// Counts, for it must not allocate itself.
class counter final : public observer {
public:
    void entry_given_up(const given_up_report&) noexcept override { ++given_up; }
    void error(std::string_view, const failure&) noexcept override { ++errors; }
    std::size_t given_up = 0, errors = 0;
};

struct place {
    void create_all() {
        for (const char* id : names) {
            BOOST_REQUIRE(!front.execute(testing::order_builder{}.id(id).submit()).ec);
        }
    }
    std::string events(const std::string& id) {
        std::string out;
        for (const auto& entry : reads().history({id, {}, 1000}).value()) {
            out += (out.empty() ? "" : " ") + entry.event;
        }
        return out;
    }
    bool all_completed() {
        const auto counted = reads().count().value();
        return std::any_of(counted.orders.begin(), counted.orders.end(), [](const auto& it) {
            return it.status.view() == "COMPLETED" && it.orders == names.size();
        });
    }
    void expect_consistent() {
        const auto verified = verify(reads(), status_machine::standard());
        BOOST_REQUIRE(verified);
        BOOST_TEST(!verified->difference, verified->difference.value_or(""));
    }
    void drive() {
        (void)front.run_once();
        time.advance(20ms);  // the longest pause before it asks for a write in doubt
    }
    repository_reader& reads() {
        if (!reads_) reads_ = orders->connect_reader().value();
        return *reads_;
    }

    testing::manual_clock time;
    testing::seeded_random random;
    counter watch;
    std::unique_ptr<storage> orders = make_memory_storage();
    engine_options by_hand{.threads = 0, .resolve_attempts = 3};
    engine front{*orders, status_machine::standard(), {time, random, watch}, by_hand};

private:
    std::unique_ptr<repository_reader> reads_;
};

class answer final : public completion {
public:
    void complete(change_outcome& outcome) noexcept override {
        ++calls;
        ec = outcome.ec;
    }
    int calls = 0;
    error_code ec;
};

class finisher final : public processor {
public:
    void start(job work) override { std::move(work).finish(advance{"complete"}); }
};

// A host that runs a stage when it is called or the time has come, and at no other time.
struct host {
    std::function<void()> on_ready() {
        return [this] { called = true; };
    }
    template <class Stage>
    void run(Stage& stage, testing::manual_clock& time) {
        if (!called && time.monotonic() < due) return;
        called = false;
        due = stage.run_once().next_due;
    }
    bool called = true;
    clock::instant due;
};

worker_options worker_by_hand() {
    worker_options out;
    out.worker_id = "w";
    out.threads = 0;
    out.poll_interval = 5s;
    out.retry.attempts_max = 1000;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_engine_tells_everybody_the_truth) {
    at_each_allocation([](std::size_t after, std::size_t for_so_many) {
        place at;
        std::vector<command> commands;
        for (const char* id : names) commands.push_back(testing::order_builder{}.id(id).submit());
        std::array<answer, names.size()> answers;
        std::array<bool, names.size()> queued{};
        memory_runs_out now(after, for_so_many);
        for (std::size_t i = 0; i < names.size(); ++i) {
            try {
                queued[i] = at.front.submit(std::move(commands[i]), answers[i]).has_value();
            } catch (const std::bad_alloc&) {  // nothing was queued
            }
        }
        for (int i = 0; i < 10; ++i) at.drive();
        const bool happened = now.end();
        for (int i = 0; i < 10; ++i) at.drive();
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            for (std::size_t i = 0; i < names.size(); ++i) {
                BOOST_TEST(answers[i].calls == (queued[i] ? 1 : 0));
                const bool there = !at.events(names[i]).empty();
                if (!queued[i] || answers[i].ec == errc::unavailable) BOOST_TEST(!there);
                if (queued[i] && !answers[i].ec) BOOST_TEST(there);
            }
            at.expect_consistent();
        }
        return happened;
    });
}

BOOST_AUTO_TEST_CASE(a_worker_completes_each_order_once) {
    at_each_allocation([](std::size_t after, std::size_t for_so_many) {
        place at;
        at.create_all();
        finisher desk;
        host loop;
        auto options = worker_by_hand();
        options.on_ready = loop.on_ready();
        worker works(at.front, desk, options);
        BOOST_REQUIRE(works.start());
        memory_runs_out now(after, for_so_many);
        for (int i = 0; i < 30; ++i) {
            loop.run(works, at.time);
            at.drive();
        }
        const bool happened = now.end();
        for (int i = 0; i < 200 && !at.all_completed(); ++i) {
            at.time.advance(500ms);
            loop.run(works, at.time);
            at.drive();
        }
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            for (const char* id : names) {
                const std::string events = at.events(id);
                BOOST_TEST(events.ends_with(" complete"), events);
                BOOST_TEST(events.find("complete") == events.rfind("complete"), events);
            }
            at.expect_consistent();
        }
        return happened;
    });
}

BOOST_AUTO_TEST_CASE(a_relay_publishes_every_entry) {
    at_each_allocation([](std::size_t after, std::size_t for_so_many) {
        place at;
        at.create_all();
        reader journal(*at.orders);
        scripted_broker post;
        relay_options options;
        options.format = write_cloud_event;
        options.owner = "r";
        options.queues = {work_queue(at.front.machine())};
        options.threads = 0;
        host loop;
        options.on_ready = loop.on_ready();
        relay it(at.front, journal, post, options);
        BOOST_REQUIRE(it.start());
        memory_runs_out now(after, for_so_many);
        for (int i = 0; i < 30; ++i) {
            loop.run(it, at.time);
            at.drive();
            at.time.advance(10ms);
        }
        const bool happened = now.end();
        for (int i = 0; i < 120; ++i) {
            at.time.advance(500ms);
            loop.run(it, at.time);
            at.drive();
        }
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            std::vector<std::string> first;
            for (const message& one : post.submitted) {
                if (std::find(first.begin(), first.end(), one.id) == first.end()) {
                    first.push_back(one.id);
                }
            }
            BOOST_TEST(first == (std::vector<std::string>{"1-1", "1-2", "1-3"}),
                       boost::test_tools::per_element());
            BOOST_TEST(at.watch.given_up == 0U);
            const auto cursor = at.reads().find_cursor("relay").value();
            BOOST_TEST(cursor.value_or(feed_position{}).offset == 3U);
        }
        return happened;
    });
}

BOOST_AUTO_TEST_CASE(a_follower_hands_over_every_entry) {
    at_each_allocation([](std::size_t after, std::size_t for_so_many) {
        place at;
        at.create_all();
        reader journal(*at.orders);
        std::vector<std::uint64_t> handled;  // for the first time
        handled.reserve(names.size());
        follower_options options;
        options.cursor = "mailer";
        options.owner = "f";
        options.threads = 0;
        options.give_up = unpublishable::skip;
        options.handler = [&](std::span<const journal_entry> entries) -> follow_answer {
            const std::string needs_memory(100, 'x');
            const auto offset = entries.front().position.offset;
            if (handled.empty() || offset > handled.back()) handled.push_back(offset);
            return {1};
        };
        host loop;
        options.on_ready = loop.on_ready();
        journal_follower it(at.front, journal, options);
        BOOST_REQUIRE(it.start());
        memory_runs_out now(after, for_so_many);
        for (int i = 0; i < 30; ++i) {
            loop.run(it, at.time);
            at.drive();
            at.time.advance(10ms);
        }
        const bool happened = now.end();
        for (int i = 0; i < 120; ++i) {
            at.time.advance(500ms);
            loop.run(it, at.time);
            at.drive();
        }
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            BOOST_TEST(handled == (std::vector<std::uint64_t>{1, 2, 3}),
                       boost::test_tools::per_element());
            BOOST_TEST(at.watch.given_up == 0U);
            const auto cursor = at.reads().find_cursor("mailer").value();
            BOOST_TEST(cursor.value_or(feed_position{}).offset == 3U);
        }
        return happened;
    });
}

BOOST_AUTO_TEST_CASE(messages_wake_the_worker_and_are_acknowledged) {
    at_each_allocation([](std::size_t after, std::size_t for_so_many) {
        place at;
        at.create_all();
        finisher desk;
        auto options = worker_by_hand();
        options.wake_on_commit = false;
        worker works(at.front, desk, options);
        const auto post = make_memory_broker();
        work_queue_options by_hand;
        by_hand.threads = 0;
        work_queue_consumer it(at.front, works, *post, by_hand);
        BOOST_REQUIRE(works.start());
        BOOST_REQUIRE(it.start());
        (void)it.run_once();
        const auto out = post->connect_publisher({}).value();
        for (const char* id : names) {
            message named;
            named.topic = "order.create";
            named.key = id;
            (void)out->submit(named).value();
        }
        message strange;
        strange.topic = "order.create";
        strange.key = "~no id of an order";
        (void)out->submit(strange).value();
        memory_runs_out now(after, for_so_many);
        for (int i = 0; i < 30; ++i) {
            (void)it.run_once();
            (void)works.run_once();
            at.drive();
        }
        const bool happened = now.end();
        work_queue_report last;
        for (int i = 0; i < 120; ++i) {
            at.time.advance(500ms);
            last = it.run_once();
            (void)works.run_once();
            at.drive();
        }
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            BOOST_TEST(at.all_completed());
            BOOST_TEST(last.connected);
            BOOST_TEST(last.unacknowledged == 0U);
            it.stop();
            consumer_params rest;
            rest.queue = "orderproc.work";
            rest.length_max = work_queue(at.front.machine()).length_max;
            std::vector<delivery> left;
            post->connect_consumer(rest).value()->receive(10, 0ms, left).value();
            BOOST_TEST(left.empty());
            rest = {};
            rest.queue = "orderproc.poison";
            post->connect_consumer(rest).value()->receive(10, 0ms, left).value();
            BOOST_TEST(left.size() >= 1U);  // at least once
        }
        return happened;
    });
}
