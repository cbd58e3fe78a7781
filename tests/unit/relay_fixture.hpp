#ifndef ORDERPROC_TESTS_UNIT_RELAY_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_RELAY_FIXTURE_HPP

// A journal and a scripted broker, in one thread on a manual clock.

#include "scripted_broker.hpp"
#include "worker_fixture.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/relay.hpp>
#include <orderproc/work_queue_consumer.hpp>

#include <condition_variable>
#include <string>
#include <vector>

namespace shop_test {

using texts = std::vector<std::string>;

class relay_observer final : public observer {
public:
    void broker_changed(const broker_report& it) noexcept override {
        const std::lock_guard lock(mutex);
        links.push_back(it.connected ? "connected" : it.why.detail);
    }
    void feed_measured(const feed_report& it) noexcept override {
        const std::lock_guard lock(mutex);
        lag = it.lag;
        behind = it.behind;
        waits_for = it.waits_for;
        reason = describe(it);
        ++measures;
        changed.notify_all();
    }
    void error(std::string_view where, const failure&) noexcept override {
        const std::lock_guard lock(mutex);
        errors.emplace_back(where);
    }
    void entry_given_up(const given_up_report& it) noexcept override {
        const std::lock_guard lock(mutex);
        given_up.push_back(std::to_string(it.epoch) + "-" + std::to_string(it.offset) + " " +
                           std::string(it.order) + " " + std::string(it.event) + " " +
                           std::string(name_of(it.action)) + ": " + it.why.detail);
    }
    std::mutex mutex;
    std::condition_variable changed;
    texts links, errors, given_up;
    feed_wait waits_for = feed_wait::nothing;
    std::string reason;
    milliseconds lag{-1};
    std::uint64_t behind = 0;
    int measures = 0;
};

struct station {
    station() : orders(make_memory_storage()) {}

    relay_options quiet(std::string owner = "a") {
        relay_options out;
        out.format = write_cloud_event;
        out.owner = std::move(owner);
        out.queues = {work_queue(front.machine())};
        out.threads = 0;
        return out;
    }
    void create(const std::string& id, std::string traceparent = {}) {
        order_draft it;
        it.id = order_id::parse(id).value();
        it.user = "1";
        it.item_ids = {7};
        it.total_amount = {100, "USD"};
        BOOST_REQUIRE(
            !front.execute({submit_order{std::move(it)}, {}, {}, {}, "", traceparent}).ec);
    }
    void raise(const std::string& id, const std::string& event) {
        BOOST_REQUIRE(!front.execute({raise_event{id, event, ""}, {}, {}, {}, "client", ""}).ec);
    }
    // Whatever is settled. Returns the floor of the feed.
    std::uint64_t purge() {
        struct : purge_completion {
            void complete(const purge_outcome& outcome) noexcept override { got = outcome; }
            purge_outcome got;
        } done;
        time.advance(std::chrono::hours(200));
        BOOST_REQUIRE(front.submit(purge_orders{timestamp::max()}, done));
        BOOST_REQUIRE(front.run_once());
        return done.got.floor.offset;
    }
    // Until nobody has anything to do at this time.
    relay_report settle(std::initializer_list<relay*> relays) {
        relay_report last;
        for (int i = 0; i < 10'000; ++i) {
            const auto written = front.run_once();
            bool busy = !written || *written > 0;
            for (relay* it : relays) {
                last = it->run_once();
                busy = busy || last.next_due <= time.monotonic();
            }
            if (!busy && front.queued() == 0) return last;
        }
        BOOST_FAIL("it never comes to rest");
        return last;
    }
    relay_report pass(milliseconds total, std::initializer_list<relay*> relays,
                      milliseconds step = 100ms) {
        relay_report last;
        for (milliseconds done{0}; done < total; done += step) {
            time.advance(step);
            last = settle(relays);
        }
        return last;
    }
    std::uint64_t cursor() {
        return journal.use([](repository_reader& from) { return from.find_cursor("relay"); })
            .value()
            .value_or(feed_position{})
            .offset;
    }

    testing::manual_clock time;
    testing::seeded_random random;
    relay_observer watch;
    std::unique_ptr<storage> orders;
    engine_options by_hand{.threads = 0, .resolve_attempts = 1};
    engine front{*orders, status_machine::standard(), {time, random, watch}, by_hand};
    reader journal{*orders};
    scripted_broker post;
};

}  // namespace shop_test

#endif
