// The live feed and its host: options, encoded parts, calls of listeners, threads and time.

#include "feed_fixture.hpp"

#include <orderproc/runnable.hpp>

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;
using namespace std::chrono_literals;

static_assert(runnable<live_feed>);

namespace {

// Waits for what a feed with a thread gives.
class waiting_subscriber final : public feed_listener {
public:
    void ready() noexcept override {
        const std::lock_guard lock(mutex_);
        called_ = true;
        changed_.notify_all();
    }
    void wait_for(const std::string& words) {
        std::string got;
        while (got != words) {
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [this] { return called_; });
                called_ = false;
            }
            std::vector<feed_part> parts;
            (void)subscription->take(parts, no_limit, no_limit);
            for (const feed_part& it : parts) append_words(it, got);
        }
    }
    std::unique_ptr<feed_subscription> subscription;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool called_ = false;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(feed_host, feed_place)

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused_by_name) {
    const auto refused = [&](auto change) {
        live_feed_options options = by_hand();
        change(options);
        try {
            live_feed{orders, feed_reads, options};
        } catch (const std::invalid_argument& why) {
            return std::string(why.what());
        }
        return std::string("accepted");
    };
    const std::string of = "live_feed_options::";
    BOOST_TEST(refused([](auto& it) { it.threads = 2; }) == of + "threads: 0 or 1");
    BOOST_TEST(refused([](auto& it) { it.page_size = 0; }) == of + "page_size: 1 to 65,536");
    BOOST_TEST(refused([](auto& it) { it.page_size = 65'537; }) == of + "page_size: 1 to 65,536");
    BOOST_TEST(refused([](auto& it) { it.step_size = 0; }) == of + "step_size: 1 to 65,536");
    BOOST_TEST(refused([](auto& it) { it.buffer_max = 0; }) == of + "buffer_max: at least 1");
    BOOST_TEST(refused([](auto& it) { it.rest = -1ms; }) == of + "rest: not negative");
    BOOST_TEST(refused([](auto& it) { it.poll_interval = 0ms; }) ==
               of + "poll_interval: more than 0");
    BOOST_TEST(refused([](auto& it) { it.retry = 0ms; }) == of + "retry: more than 0");
    BOOST_TEST(refused([](auto& it) { it.rest = 0ms; }) == "accepted");
}

BOOST_AUTO_TEST_CASE(until_settled_needs_one_order) {
    live_feed feed{orders, feed_reads, by_hand()};
    subscriber who;
    const order_id one = order_id::parse("A").value(), other = order_id::parse("B").value();
    for (const auto& ids : {std::vector<order_id>{}, {one, other}}) {
        const auto made = feed.subscribe({.filter = {.orders = ids}, .until_settled = true}, who);
        BOOST_REQUIRE(!made);
        BOOST_TEST((made.error().code == errc::invalid_argument));
    }
    BOOST_TEST(feed.subscriptions() == 0U);
    BOOST_TEST(
        feed.subscribe({.filter = {.orders = {one, one}}, .until_settled = true}, who).has_value());
}

BOOST_AUTO_TEST_CASE(an_entry_is_encoded_once_for_all_who_get_it) {
    std::vector<std::string> encoded;
    bool fails = false;
    live_feed_options options = by_hand();
    options.encode = [&](const journal_entry& it, std::string& out) {
        if (std::exchange(fails, false)) throw std::bad_alloc();
        encoded.emplace_back(it.after.id.view());
        out.append(it.event).append("!");
    };
    live_feed feed{orders, feed_reads, options};
    subscriber one, two, three, all;
    for (subscriber* it : {&one, &two, &three}) {
        it->subscribe(feed, {{.scope = {.user = "7"}}, newest(), false});
    }
    run(feed);
    create("A", 7);
    create("B", 8);
    run(feed);
    BOOST_TEST((encoded == std::vector<std::string>{"A"}));  // nobody got B
    const auto first = one.take(), second = two.take();
    BOOST_REQUIRE(first.size() == 1U);
    BOOST_TEST(first[0].text == "create!");
    BOOST_TEST(first[0].entries.empty());
    BOOST_TEST(first[0].size == first[0].text.size());
    BOOST_REQUIRE(second.size() == 1U);
    BOOST_TEST(static_cast<const void*>(first[0].text.data()) == second[0].text.data());
    all.subscribe(feed, {{}, newest(), false});
    run(feed);
    encoded.clear();
    create("C", 8);
    raise("A", "cancel");
    // Memory runs out: everybody gets all of it, once, when there is some again.
    fails = true;
    BOOST_CHECK_THROW((void)feed.run_once(), std::bad_alloc);
    run(feed);
    const auto page = all.take();
    BOOST_REQUIRE(page.size() == 1U);
    BOOST_TEST(page[0].text == "create!cancel!");
    BOOST_TEST(one.take().at(0).text == "cancel!");
    BOOST_TEST(three.take().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_listener_may_take_and_end_subscriptions_within_a_call) {
    live_feed feed{orders, feed_reads, by_hand()};
    subscriber first, second;
    first.subscribe(feed, {{}, newest(), false});
    second.subscribe(feed, {{}, newest(), false});
    run(feed);
    std::string seen;
    const auto end_both = [&](subscriber& it) {
        it.then = [&] {
            seen += it.words();
            first.subscription.reset();
            second.subscription.reset();
        };
    };
    end_both(first);
    end_both(second);
    create("A");
    run(feed);
    BOOST_TEST(seen == "create A");  // the other one was not called any more
    BOOST_TEST(first.calls + second.calls == 1);
    BOOST_TEST(feed.subscriptions() == 0U);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_subscription_waits_for_a_call_under_way) {
    live_feed feed{orders, feed_reads, by_hand()};
    subscriber who;
    who.subscribe(feed, {{}, newest(), false});
    run(feed);
    std::promise<void> in_call, goes_on;
    bool left = false;
    who.then = [&] {
        in_call.set_value();
        goes_on.get_future().wait();
        left = true;
    };
    create("A");
    std::jthread feeding([&] { run(feed); });
    in_call.get_future().wait();
    std::jthread ends([&] { goes_on.set_value(); });
    who.subscription.reset();
    BOOST_TEST(left);
}

BOOST_AUTO_TEST_CASE(it_says_when_it_is_due) {
    int ready = 0;
    live_feed_options options = by_hand();
    options.on_ready = [&] { ++ready; };
    live_feed feed{orders, feed_reads, options};
    create("A");
    BOOST_TEST(ready == 0);  // nobody subscribes
    BOOST_TEST((feed.next_due() == orderproc::clock::instant::max()));
    subscriber who;
    time.advance(1s);
    who.subscribe(feed, {{}, newest(), false});
    BOOST_TEST(ready == 1);
    BOOST_TEST((feed.next_due() <= time.monotonic()));
    run(feed);
    BOOST_TEST((feed.next_due() == time.monotonic() + options.poll_interval));
    create("B");
    create("C");
    BOOST_TEST(ready == 2);
    BOOST_TEST((feed.next_due() == time.monotonic() + options.rest));
    time.advance(options.rest);
    BOOST_TEST((run_due(time, feed) == time.monotonic() + options.poll_interval));
    BOOST_TEST(who.words() == "create B, create C");
    feed.stop();
    create("D");
    BOOST_TEST(!feed.run_once());
    BOOST_TEST((feed.next_due() == orderproc::clock::instant::max()));
    BOOST_TEST(who.words() == "");
}

BOOST_AUTO_TEST_CASE(with_a_thread_of_its_own_it_delivers_what_is_committed) {
    engine threaded{store, status_machine::standard(), {time, random, errors}};
    live_feed feed{threaded, feed_reads};
    waiting_subscriber all, one;
    all.subscription = feed.subscribe({}, all).value();
    all.wait_for("start 1-0");
    one.subscription =
        feed.subscribe({{.orders = {order_id::parse("B").value()}}, feed_position{}, true}, one)
            .value();
    BOOST_REQUIRE(!threaded.execute(testing::order_builder{}.id("A").submit()).ec);
    BOOST_REQUIRE(!threaded.execute(testing::order_builder{}.id("B").submit()).ec);
    BOOST_REQUIRE(!threaded.execute(testing::raise("B", "cancel")).ec);
    all.wait_for("create A, create B, cancel B");
    one.wait_for("create B, cancel B");
}

BOOST_AUTO_TEST_CASE(subscribers_on_several_threads_come_and_go_while_orders_do) {
    engine threaded{store, status_machine::standard(), {time, random, errors}};
    live_feed_options options;
    options.rest = 0ms;
    live_feed feed{threaded, feed_reads, options};
    const auto name = [](int i) { return "A-" + std::to_string(i); };
    constexpr int orders_max = 60;
    std::string everything;
    for (int i = 0; i < orders_max; ++i) everything += (i > 0 ? ", create " : "create ") + name(i);
    std::vector<std::jthread> threads;
    std::atomic<int> right{0};
    for (int k = 0; k < 3; ++k) {
        threads.emplace_back([&] {
            for (int round = 0; round < 5; ++round) {
                waiting_subscriber all, gone;
                const feed_request from_the_beginning{.after = feed_position{}};
                gone.subscription = feed.subscribe(from_the_beginning, gone).value();
                all.subscription = feed.subscribe(from_the_beginning, all).value();
                gone.subscription.reset();
                all.wait_for(everything);
                ++right;
            }
        });
    }
    for (int i = 0; i < orders_max; ++i) {
        BOOST_REQUIRE(!threaded.execute(testing::order_builder{}.id(name(i)).submit()).ec);
    }
    threads.clear();
    BOOST_TEST(right == 15);
    BOOST_TEST(feed.subscriptions() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
