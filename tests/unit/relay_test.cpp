// The journal's way to a broker, in one thread on a manual clock; then with threads of its own.

#include "relay_fixture.hpp"

#include <mutex>
#include <string>
#include <vector>

using namespace orderproc;
using namespace shop_test;

BOOST_FIXTURE_TEST_SUITE(way_of_an_entry, station)

BOOST_AUTO_TEST_CASE(entries_go_out_in_order_and_say_what_they_are) {
    create("A", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    create("B");
    raise("A", "cancel");
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    pass(200ms, {&it});
    BOOST_TEST(post.texts() == (texts{"A create", "B create", "A cancel"}),
               boost::test_tools::per_element());
    const message& first = post.submitted[0];
    BOOST_TEST(first.id == "1-1");
    BOOST_TEST(first.topic == "order.create");
    BOOST_TEST(first.key == "A");
    BOOST_TEST(first.content_type == "application/cloudevents+json");
    BOOST_REQUIRE(first.headers.size() == 1U);
    BOOST_TEST(first.headers[0].first == "traceparent");
    BOOST_TEST(first.payload.find(R"("id":"1-1")") != std::string::npos);
    // Only what creates work must find a queue.
    BOOST_TEST(first.must_route);
    BOOST_TEST(!post.submitted[2].must_route);
    BOOST_REQUIRE(post.published_with.queues.size() == 2U);
    BOOST_TEST(post.published_with.queues[0].name == "orderproc.work");
    BOOST_TEST(post.published_with.queues[0].topics == (texts{"order.create", "order.retry"}),
               boost::test_tools::per_element());
    // What cannot be published is for the other one.
    BOOST_TEST(post.published_with.queues[1].name == "orderproc.poison");
    BOOST_TEST(post.published_with.queues[1].topics == (texts{"orderproc.poison"}),
               boost::test_tools::per_element());
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(the_cursor_moves_after_the_confirm_and_never_past_a_gap) {
    post.confirms = false;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    for (const char* id : {"A", "B", "C"}) create(id);
    BOOST_TEST(pass(1s, {&it}).under_way == 3U);
    BOOST_TEST(cursor() == 0U);
    post.decide_last();
    pass(1s, {&it});
    BOOST_TEST(cursor() == 0U);
    post.decide(1);
    pass(1s, {&it});
    BOOST_TEST(cursor() == 1U);
    post.decide(1);
    BOOST_TEST(pass(1s, {&it}).under_way == 0U);
    BOOST_TEST(cursor() == 3U);
    BOOST_TEST(post.submitted.size() == 3U);
}

BOOST_AUTO_TEST_CASE(no_more_than_the_window_is_under_way) {
    post.confirms = false;
    auto options = quiet();
    options.window = 4;
    relay it(front, journal, post, options);
    BOOST_REQUIRE(it.start());
    for (int i = 0; i < 10; ++i) create("A" + std::to_string(i));
    time.advance(options.max_publish_lag);
    BOOST_TEST(pass(100ms, {&it}).under_way == 4U);
    BOOST_TEST(post.submitted.size() == 4U);
    post.decide(3);
    pass(100ms, {&it});
    BOOST_TEST(post.submitted.size() == 7U);
    post.confirms = true;
    pass(1s, {&it});
    BOOST_TEST(post.submitted.size() == 10U);
    BOOST_TEST(cursor() == 10U);
}

BOOST_AUTO_TEST_CASE(a_lost_connection_publishes_again_from_the_cursor) {
    post.confirms = false;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    for (const char* id : {"A", "B", "C"}) create(id);
    pass(100ms, {&it});
    post.decide(1);
    pass(100ms, {&it});
    post.away = true;
    BOOST_TEST(!pass(100ms, {&it}).connected);
    create("D");
    pass(1h, {&it}, 10s);
    BOOST_TEST(post.publishers == 1U);
    BOOST_TEST(watch.links == (texts{"connected", "gone", "refused"}),
               boost::test_tools::per_element());
    BOOST_TEST(watch.behind == 3U);
    BOOST_TEST(watch.lag >= 1h);
    post.away = false;
    post.confirms = true;
    pass(20s, {&it});
    BOOST_TEST(post.texts() ==
                   (texts{"A create", "B create", "C create", "B create", "C create", "D create"}),
               boost::test_tools::per_element());
    BOOST_TEST(post.submitted[1].id == post.submitted[3].id);
    BOOST_TEST(cursor() == 4U);
    BOOST_TEST(watch.lag == 0ms);
    BOOST_TEST(watch.behind == 0U);
}

BOOST_AUTO_TEST_CASE(what_the_broker_refuses_is_sent_again_with_all_that_follows) {
    post.confirms = false;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create("A");
    create("B");
    pass(100ms, {&it});
    post.decide(1, errc::unavailable);
    post.decide(1);
    pass(1s, {&it});
    BOOST_TEST(cursor() == 0U);
    post.confirms = true;
    pass(1s, {&it});
    BOOST_TEST(post.texts() == (texts{"A create", "B create", "A create", "B create"}),
               boost::test_tools::per_element());
    BOOST_TEST(cursor() == 2U);
}

// What is unknown is not confirmed, whatever it says.
BOOST_AUTO_TEST_CASE(an_unknown_outcome_is_no_confirm) {
    post.confirms = false;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create("A");
    pass(100ms, {&it});
    post.decide(1, errc::outcome_unknown);
    pass(100ms, {&it});
    BOOST_TEST(cursor() == 0U);
    post.confirms = true;
    pass(2s, {&it});
    BOOST_TEST(post.submitted.size() == 2U);
    BOOST_TEST(cursor() == 1U);
}

BOOST_AUTO_TEST_CASE(what_no_queue_took_is_sent_on_a_connection_that_declares_them_again) {
    post.confirms = false;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create("A");
    pass(100ms, {&it});
    post.decide(1, errc::not_found);
    pass(1s, {&it});
    BOOST_TEST(post.publishers == 2U);
    BOOST_TEST(post.submitted.size() == 2U);
    BOOST_TEST(cursor() == 0U);
    // In vain: it must not hold up the rest for ever, for the sweep finds the order.
    for (int i = 0; i < 2; ++i) {
        post.decide(1, errc::not_found);
        pass(2s, {&it});
    }
    BOOST_TEST(watch.errors == (texts{"relay.route"}), boost::test_tools::per_element());
    BOOST_TEST(post.submitted.size() == 3U);
    BOOST_TEST(cursor() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(who_leads, station)

BOOST_AUTO_TEST_CASE(one_of_many_publishes_and_another_takes_over_within_the_lease) {
    relay first(front, journal, post, quiet("a"));
    relay second(front, journal, post, quiet("b"));
    BOOST_REQUIRE(first.start());
    BOOST_REQUIRE(second.start());
    create("A");
    pass(1s, {&first, &second});
    create("B");
    pass(30s, {&first, &second}, 1s);
    BOOST_TEST(post.submitted.size() == 2U);
    BOOST_TEST(post.publishers == 1U);
    // The first goes silent.
    create("C");
    pass(8s, {&second}, 500ms);
    BOOST_TEST(post.submitted.size() == 2U);
    pass(4s, {&second}, 500ms);
    BOOST_TEST(post.texts().back() == "C create");
    BOOST_TEST(cursor() == 3U);
    // It wakes up, and is told.
    const auto late = pass(1s, {&first});
    BOOST_TEST(!late.leading);
    BOOST_TEST(!late.connected);
    BOOST_TEST(post.submitted.size() == 3U);
}

// Its hold on the cursor ends in an hour, by the clock; by the monotonic one in a lease.
BOOST_AUTO_TEST_CASE(a_leader_that_went_silent_before_a_step_back_is_followed) {
    relay first(front, journal, post, quiet("a"));
    relay second(front, journal, post, quiet("b"));
    BOOST_REQUIRE(first.start());
    BOOST_REQUIRE(second.start());
    create("A");
    pass(1s, {&first, &second});
    time.step(-1h);
    pass(30s, {&first, &second}, 1s);  // it renews: nobody takes it over
    BOOST_TEST(post.publishers == 1U);
    time.step(1h);
    pass(5s, {&first}, 1s);
    time.step(-1h);
    create("B");
    pass(12s, {&second}, 500ms);
    BOOST_TEST(post.texts().back() == "B create");
    BOOST_TEST(cursor() == 2U);
}

BOOST_AUTO_TEST_CASE(a_leader_whose_move_is_refused_publishes_no_more) {
    post.confirms = false;
    relay first(front, journal, post, quiet("a"));
    BOOST_REQUIRE(first.start());
    create("A");
    pass(100ms, {&first});
    // Its lease ends unseen: the host's loop was held up, and another one is quicker.
    time.advance(11s);
    relay second(front, journal, post, quiet("b"));
    BOOST_REQUIRE(second.start());
    (void)second.run_once();
    BOOST_REQUIRE(front.run_once());
    BOOST_TEST(second.run_once().leading);
    post.confirm_all();
    create("B");
    const auto late = first.run_once();
    BOOST_TEST(!late.leading);
    BOOST_TEST(late.published == 0U);
    settle({&first, &second});
    BOOST_TEST(!first.run_once().leading);
    BOOST_TEST(second.run_once().leading);
    BOOST_TEST(post.submitted.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_stop_lets_the_cursor_go_at_the_last_confirm) {
    post.confirms = false;
    relay first(front, journal, post, quiet("a"));
    BOOST_REQUIRE(first.start());
    create("A");
    create("B");
    pass(100ms, {&first});
    first.stop(5s);
    BOOST_TEST(!pass(1s, {&first}).stopped);
    post.decide(1);
    pass(100ms, {&first});
    pass(5s, {&first});
    BOOST_TEST(first.run_once().stopped);
    BOOST_TEST(cursor() == 1U);
    post.confirms = true;
    relay second(front, journal, post, quiet("b"));
    BOOST_REQUIRE(second.start());
    pass(200ms, {&second});
    BOOST_TEST(post.texts().back() == "B create");
    BOOST_TEST(cursor() == 2U);
}

BOOST_AUTO_TEST_CASE(a_stop_while_another_one_leads_leaves_nothing_to_do) {
    relay first(front, journal, post, quiet("a"));
    relay second(front, journal, post, quiet("b"));
    BOOST_REQUIRE(first.start());
    BOOST_REQUIRE(second.start());
    settle({&first, &second});
    second.stop(1h);
    const auto last = pass(10s, {&first, &second}, 1s);
    BOOST_TEST(last.stopped);
    BOOST_TEST((last.next_due > time.monotonic()));
}

BOOST_AUTO_TEST_CASE(another_journal_than_the_cursor_knows_is_published_from_its_beginning) {
    create("A");
    create("B");
    {
        // A cursor of the journal that was there before a backup was restored.
        const auto by = orders->connect_writer().value();
        const commit_cursor old{"relay", "gone", feed_position{77, 500}, time.now()};
        std::vector<cursor_outcome> outcomes(1);
        write_params params;
        params.now = time.now();
        params.writer = "w";
        params.sequence = 1;
        params.cursors = {&old, 1};
        write_results results{{}, {}, outcomes};
        BOOST_REQUIRE(by->write(params, results));
    }
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    pass(1s, {&it});
    BOOST_TEST(watch.errors == (texts{"relay.reset"}), boost::test_tools::per_element());
    BOOST_TEST(post.texts() == (texts{"A create", "B create"}), boost::test_tools::per_element());
    BOOST_TEST(cursor() == 2U);
}

BOOST_AUTO_TEST_CASE(a_host_may_stop_it_as_soon_as_it_is_called) {
    relay* called = nullptr;
    auto options = quiet();
    options.on_ready = [&] { called->stop(0ms); };
    relay it(front, journal, post, options);
    called = &it;
    BOOST_TEST(it.start().has_value());
    BOOST_TEST(it.run_once().stopped);
    BOOST_TEST(it.start().error().code == make_error_code(errc::stopped));
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    auto options = quiet();
    options.format = nullptr;
    relay no_format(front, journal, post, options);
    BOOST_TEST(no_format.start().error().code == make_error_code(errc::invalid_argument));
    options = quiet();
    options.window = 0;
    relay no_window(front, journal, post, options);
    BOOST_TEST(no_window.start().error().code == make_error_code(errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()

// With threads, over queues in memory: nothing is sent twice, left out or out of order.
BOOST_AUTO_TEST_CASE(with_threads_of_its_own) {
    const auto orders = make_memory_storage();
    relay_observer watch;
    const runtime with = system_runtime(watch);
    engine front(*orders, status_machine::standard(), with);
    reader journal(*orders);
    const auto post = make_memory_broker();
    consumer_params all;
    all.queue = "all";
    all.topics = {"order.#"};
    const auto reading = post->connect_consumer(all).value();
    relay_options options;
    options.format = write_cloud_event;
    relay it(front, journal, *post, options);
    BOOST_REQUIRE(it.start());
    constexpr std::size_t count = 300;
    for (std::size_t i = 0; i < count; ++i) {
        order_draft made;
        made.user = "1";
        made.item_ids = {7};
        made.total_amount = {100, "USD"};
        BOOST_REQUIRE(!front.execute({submit_order{std::move(made)}, {}, {}, {}, "", ""}).ec);
    }
    std::vector<delivery> got;
    while (got.size() < count) {
        std::vector<delivery> more;
        BOOST_REQUIRE(reading->receive(100, 1s, more));
        for (delivery& one : more) {
            const acknowledgement done{one.tag, disposition::ack, {}};
            BOOST_REQUIRE(reading->acknowledge({&done, 1}));
            got.push_back(std::move(one));
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        BOOST_TEST(got[i].body.id == "1-" + std::to_string(i + 1));
    }
    {
        std::unique_lock lock(watch.mutex);
        watch.changed.wait(lock, [&] { return watch.measures > 0 && watch.lag == 0ms; });
    }
    it.stop(10s);
    const auto at = journal.use([](repository_reader& from) { return from.find_cursor("relay"); });
    BOOST_TEST(at.value()->offset == count);
}
