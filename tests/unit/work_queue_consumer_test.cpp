// Messages that wake a worker, in one thread on a manual clock.

#include "scripted_broker.hpp"
#include "worker_fixture.hpp"

#include <orderproc/work_queue_consumer.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <string>
#include <vector>

using namespace shop_test;

namespace {

using texts = std::vector<std::string>;

class hint_observer final : public observer {
public:
    void orders_hinted(const hint_report& it) noexcept override {
        hinted += it.hinted;
        claimed += it.claimed;
    }
    void message_refused(std::string_view, std::string_view reason) noexcept override {
        refused.emplace_back(reason);
    }
    void broker_changed(const broker_report& it) noexcept override {
        links.push_back(it.connected ? "connected" : it.why.detail);
    }
    std::size_t hinted = 0, claimed = 0;
    texts refused, links;
};

worker_options woken(std::size_t in_flight = 1024) {
    worker_options out = quiet("w");
    out.in_flight_max = in_flight;
    out.wake_on_commit = false;
    out.poll_interval = 5s;
    return out;
}

struct bench {
    explicit bench(worker_options options = woken(), std::size_t prefetch = 256)
        : works(front, at, std::move(options)), it(front, works, post, by_hand(prefetch)) {
        BOOST_REQUIRE(works.start());
        BOOST_REQUIRE(it.start());
        settle();  // the worker's first sweep
    }
    static work_queue_options by_hand(std::size_t prefetch) {
        work_queue_options out;
        out.threads = 0;
        out.prefetch = prefetch;
        return out;
    }
    void create(const std::string& id) {
        order_draft made;
        made.id = order_id::parse(id).value();
        made.user = "1";
        made.item_ids = {7};
        made.total_amount = {100, "USD"};
        BOOST_REQUIRE(!front.execute({submit_order{std::move(made)}, {}, {}, {}, "", ""}).ec);
    }
    void settle() {
        int idle = 0;  // what one does may be news to those before it
        for (int i = 0; i < 10'000 && idle < 3; ++i) {
            const auto written = front.run_once();
            const bool wrote = !written || *written > 0;
            const bool worked = works.run_once().next_due <= time.monotonic();
            const bool woke = it.run_once().next_due <= time.monotonic();
            idle = wrote || worked || woke ? 0 : idle + 1;
        }
        if (idle == 3) return;
        BOOST_FAIL("it never comes to rest");
    }
    texts acknowledged() const {
        texts out;
        for (const auto& [key, how] : post.acknowledged) {
            if (how.how == disposition::ack) out.push_back(key);
        }
        return out;
    }

    testing::manual_clock time;
    testing::seeded_random random;
    hint_observer watch;
    std::unique_ptr<storage> orders = make_memory_storage();
    engine_options by_hand_too{.threads = 0, .resolve_attempts = 1};
    engine front{*orders, status_machine::standard(), {time, random, watch}, by_hand_too};
    desk at;
    scripted_broker post;
    worker works;
    work_queue_consumer it;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_queue_is_of_what_creates_work) {
    const auto queue = work_queue(status_machine::standard());
    BOOST_TEST(queue.name == "orderproc.work");
    BOOST_TEST(queue.length_max == 100'000U);
    BOOST_TEST(queue.topics == (texts{"order.create", "order.retry"}),
               boost::test_tools::per_element());

    // Every stage has its entrance, and its way back is none.
    const auto at = [](const char* text) { return order_status::parse(text).value(); };
    const std::array rules{transition_rule{at("PACKING"), "packed", at("PACKED"), false},
                           transition_rule{at("SHIPPING"), "arrive", at("SHIPPED"), false},
                           transition_rule{at("LOST"), "search", at("PACKED"), true}};
    const std::array stages{
        work_stage{at("PAID"), "pack", at("PACKING"), "unpack", "spoil", at("SPOILT")},
        work_stage{at("PACKED"), "ship", at("SHIPPING"), "return", "lose", at("LOST")}};
    const auto machine = status_machine::build(at("PAID"), rules, stages);
    BOOST_REQUIRE(machine);
    BOOST_TEST(
        work_queue(*machine).topics == (texts{"order.create", "order.packed", "order.search"}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_message_is_acknowledged_once_its_claim_has_committed) {
    bench on;
    on.create("A");
    on.post.arrive("order.create", "A");
    (void)on.it.run_once();
    (void)on.works.run_once();
    (void)on.it.run_once();
    // Claimed, perhaps; committed not yet: the engine has not run.
    BOOST_TEST(on.post.acknowledged.empty());
    BOOST_TEST(on.at.started == 0U);
    on.settle();
    BOOST_TEST(on.acknowledged() == (texts{"A"}), boost::test_tools::per_element());
    BOOST_TEST(on.at.started == 1U);
    BOOST_TEST(on.watch.hinted == 1U);
    BOOST_TEST(on.watch.claimed == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_but_messages_and_the_sweep_makes_it_look) {
    bench on;
    on.create("A");
    on.settle();
    BOOST_TEST(on.at.started == 0U);
    on.time.advance(5s);
    on.settle();
    BOOST_TEST(on.at.started == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_news_no_more_is_acknowledged_and_counted) {
    bench on;
    on.create("A");
    for (const char* id : {"A", "A", "NEVER"}) on.post.arrive("order.create", id);
    on.settle();
    on.at.finish(advance{"complete"});
    on.settle();
    on.post.arrive("order.retry", "A");
    on.post.arrive("order.complete", "A");  // ours, and no work
    on.settle();
    BOOST_TEST(on.acknowledged().size() == 5U);
    BOOST_TEST(on.at.started == 1U);
    BOOST_TEST(on.watch.hinted == 4U);
    BOOST_TEST(on.watch.claimed == 1U);
    BOOST_TEST(on.post.unacknowledged.empty());
}

BOOST_AUTO_TEST_CASE(what_is_none_of_ours_is_put_aside_with_the_reason) {
    bench on;
    on.post.arrive("invoice.create", "A");
    on.post.arrive("order.nonsense", "A");
    on.post.arrive("order.create", "~no id");
    on.post.arrive("", "A");
    on.settle();
    BOOST_REQUIRE(on.post.acknowledged.size() == 4U);
    for (const auto& [key, how] : on.post.acknowledged) {
        BOOST_TEST((how.how == disposition::poison));
        BOOST_TEST(!how.reason.empty());
    }
    BOOST_TEST(on.watch.refused.size() == 4U);
    BOOST_TEST(on.at.started == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_worker_takes_no_more_than_the_prefetch) {
    bench on(woken(2), 3);
    for (int i = 0; i < 10; ++i) {
        const std::string id = "A" + std::to_string(i);
        on.create(id);
        on.post.arrive("order.create", id);
    }
    on.settle();
    BOOST_TEST(on.at.jobs.size() == 2U);
    BOOST_TEST(on.post.most_unacknowledged <= 3U);
    BOOST_TEST(on.acknowledged().size() == 2U);
    for (int i = 0; i < 10; ++i) {
        on.at.finish(advance{"complete"});
        on.settle();
    }
    BOOST_TEST(on.acknowledged().size() == 10U);
    BOOST_TEST(on.at.started == 10U);
    BOOST_TEST(on.at.most <= 2U);
    BOOST_TEST(on.post.most_unacknowledged <= 3U);
}

BOOST_AUTO_TEST_CASE(offers_go_before_sweeps_but_not_for_ever) {
    bench on(woken(1));
    on.create("SWEPT");
    on.time.advance(5s);
    for (int i = 0; i < 4; ++i) {
        const std::string id = "A" + std::to_string(i);
        on.create(id);
        on.post.arrive("order.create", id);
    }
    texts begun;
    for (int i = 0; i < 5; ++i) {
        on.settle();
        BOOST_REQUIRE(on.at.jobs.size() == 1U);
        begun.emplace_back(on.at.jobs.front().value().id.view());
        on.at.finish(advance{"complete"});
    }
    on.settle();
    BOOST_TEST((std::find(begun.begin(), begun.end(), "SWEPT") != begun.end()));
    BOOST_TEST(on.acknowledged().size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_retry_that_was_put_off_is_not_left_to_the_sweep) {
    worker_options options = woken();
    options.poll_interval = 1h;
    bench on(options);
    on.create("A");
    on.post.arrive("order.create", "A");
    on.settle();
    on.at.finish(retry_later{"busy", 3s});
    on.settle();
    BOOST_TEST(on.at.started == 1U);
    on.time.advance(3s);
    on.settle();
    BOOST_TEST(on.at.started == 2U);
}

BOOST_AUTO_TEST_CASE(a_lost_connection_delivers_again_and_the_sweep_works_meanwhile) {
    bench on;
    on.create("A");
    on.post.arrive("order.create", "A");
    (void)on.it.run_once();  // received, not claimed
    on.post.away = true;
    on.settle();
    on.create("B");
    on.time.advance(5s);
    on.settle();
    BOOST_TEST(on.at.started == 2U);
    BOOST_TEST(on.post.acknowledged.empty());
    on.post.away = false;
    on.time.advance(20s);
    on.settle();
    BOOST_TEST(on.post.consumers == 2U);
    // Its claim was long ago; what the former connection was owed is forgotten.
    BOOST_TEST(on.acknowledged() == (texts{"A"}), boost::test_tools::per_element());
    BOOST_TEST(on.at.started == 2U);
    BOOST_TEST(on.watch.links.front() == "connected");
    BOOST_TEST(on.watch.links.back() == "connected");
}

BOOST_AUTO_TEST_CASE(what_is_not_acknowledged_when_it_stops_comes_again) {
    bench on(woken(1));
    for (const char* id : {"A", "B"}) {
        on.create(id);
        on.post.arrive("order.create", id);
    }
    on.settle();
    BOOST_TEST(on.acknowledged().size() == 1U);
    on.it.stop();
    BOOST_TEST(on.post.waiting.size() == 1U);
    BOOST_TEST(!on.it.start());
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    bench on;
    work_queue_options options;
    options.prefetch = 0;
    work_queue_consumer none(on.front, on.works, on.post, options);
    BOOST_TEST(none.start().error().code == make_error_code(errc::invalid_argument));
}

// With threads of their own, over queues in memory.
BOOST_AUTO_TEST_CASE(with_threads) {
    const auto orders = make_memory_storage();
    engine front(*orders, status_machine::standard(), system_runtime());
    const auto post = make_memory_broker();
    constexpr std::size_t count = 200;
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t done = 0;
    desk at;
    at.at_once = [&](job work) {
        std::move(work).finish(advance{"complete"});
        const std::lock_guard lock(mutex);
        ++done;
        changed.notify_all();
    };
    worker_options options;
    options.wake_on_commit = false;
    options.poll_interval = 1h;
    worker works(front, at, options);
    BOOST_REQUIRE(works.start());
    work_queue_consumer it(front, works, *post);
    BOOST_REQUIRE(it.start());
    publisher_params params;
    params.queues = {work_queue(front.machine())};
    const auto out = post->connect_publisher(params).value();
    for (std::size_t i = 0; i < count; ++i) {
        order_draft made;
        made.id = order_id::parse("A" + std::to_string(i)).value();
        made.user = "1";
        made.item_ids = {7};
        made.total_amount = {100, "USD"};
        BOOST_REQUIRE(!front.execute({submit_order{std::move(made)}, {}, {}, {}, "", ""}).ec);
        message what;
        what.id = std::to_string(i);
        what.topic = "order.create";
        what.key = "A" + std::to_string(i);
        what.must_route = true;
        BOOST_REQUIRE(out->submit(what));
        std::vector<published> outcomes;
        BOOST_REQUIRE(out->poll(0ms, outcomes));
    }
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return done == count; });
    }
    it.stop();
    works.stop(30s);
    const auto counted = orders->connect_reader().value()->count().value();
    BOOST_TEST(counted.completed == count);
}
