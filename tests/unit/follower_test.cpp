// Who follows the journal, from where, and until when: in one thread on a manual clock, then with a
// thread of its own.

#include "follower_fixture.hpp"

#include <orderproc/runnable.hpp>
#include <orderproc/testing/fault_storage.hpp>

#include <future>
#include <string>
#include <vector>

using namespace orderproc;
using namespace shop_test;
using boost::test_tools::per_element;

namespace {

// The one that was there before a backup was restored.
void leave_cursor_of_another_journal(mail_room& in) {
    const auto by = in.orders->connect_writer().value();
    const commit_cursor old{"mailer", "gone", feed_position{77, 500}, in.time.now()};
    std::vector<cursor_outcome> outcomes(1);
    write_params params;
    params.now = in.time.now();
    params.writer = "w";
    params.sequence = 1;
    params.cursors = {&old, 1};
    write_results results{{}, {}, outcomes};
    BOOST_REQUIRE(by->write(params, results));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(a_follower, mail_room)

BOOST_AUTO_TEST_CASE(takes_a_new_cursor_at_the_beginning_and_hands_over_all_in_order) {
    create("A");
    create("B");
    raise("A", "cancel");
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(handled == (texts{"A create", "B create", "A cancel"}), per_element());
    const auto report = pass(100ms, {&it});
    BOOST_TEST(report.leading);
    BOOST_TEST((report.at == feed_position{1, 3}));
    BOOST_TEST((report.waits_for == feed_wait::nothing));
    BOOST_TEST((report.next_due > time.monotonic()));
    BOOST_TEST(stands() == 3U);
    create("C");
    BOOST_TEST((it.next_due() <= time.monotonic()));  // a commit of the engine
    settle({&it});
    BOOST_TEST(handled.back() == "C create");
}

BOOST_AUTO_TEST_CASE(goes_on_from_where_the_cursor_stood) {
    {
        create("A");
        journal_follower first(front, journal, quiet("a"));
        BOOST_REQUIRE(first.start());
        settle({&first});
        first.stop();
        BOOST_TEST(settle({&first}).stopped);
    }
    create("B");
    journal_follower second(front, journal, quiet("b"));
    BOOST_REQUIRE(second.start());
    settle({&second});
    BOOST_TEST(handled == (texts{"A create", "B create"}), per_element());
}

BOOST_AUTO_TEST_CASE(hands_over_a_page_a_call_and_the_rest_of_it_at_once) {
    for (const char* id : {"A", "B", "C", "D", "E"}) create(id);
    auto options = quiet();
    options.page = 3;
    answer = [this](entries given) { return handle(given.first(given.size() > 2 ? 1 : 2)); };
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(calls == (std::vector<std::size_t>{3, 2, 2}), per_element());
    BOOST_TEST(handled.size() == 5U);
    BOOST_TEST(handled.back() == "E create");
}

BOOST_AUTO_TEST_CASE(moves_its_cursor_past_what_is_handled_and_no_further) {
    create_three();
    answer = [this](entries given) {
        return handle_but_b(given, {0, entry_outcome::not_now, {}, 1h});
    };
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    pass(1min, {&it});
    BOOST_TEST(stands() == 1U);
}

BOOST_AUTO_TEST_CASE(of_another_cursor_gets_all_as_well) {
    create("A");
    auto options = quiet();
    journal_follower mailer(front, journal, options);
    options.cursor = "index";
    journal_follower index(front, journal, options);
    BOOST_REQUIRE(mailer.start());
    BOOST_REQUIRE(index.start());
    pass(200ms, {&mailer, &index});
    BOOST_TEST(handled == (texts{"A create", "A create"}), per_element());
    BOOST_TEST(stands("mailer") == 1U);
    BOOST_TEST(stands("index") == 1U);
}

BOOST_AUTO_TEST_CASE(is_driven_by_the_loop_of_all_that_works) {
    create("A");
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    for (int i = 0; i < 50 && handled.empty(); ++i) {
        (void)run_due(time, it, front);
        time.advance(20ms);
    }
    BOOST_TEST(handled == (texts{"A create"}), per_element());
}

BOOST_AUTO_TEST_CASE(tells_how_far_it_is_behind) {
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(watch.lag == 0ms);
    answer = [](entries) { return follow_answer{0, entry_outcome::not_now, {}, 1min}; };
    create("A");
    create("B");
    settle({&it});
    pass(5s, {&it});
    BOOST_TEST(watch.behind == 2U);
    BOOST_TEST(watch.lag >= 4s);
    BOOST_TEST((watch.waits_for == feed_wait::handler));
    answer = {};
    it.try_again();
    settle({&it});  // it says at once that it has caught up
    BOOST_TEST(watch.behind == 0U);
    BOOST_TEST(watch.lag == 0ms);
}

BOOST_AUTO_TEST_CASE(reads_again_after_the_storage_failed) {
    testing::fault_storage faulty(*orders);
    reader reads(faulty);
    journal_follower it(front, reads, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    faulty.next(testing::fault_call::read, testing::fault::unavailable);
    create("A");
    settle({&it});
    BOOST_TEST(watch.errors == (texts{"follower.read"}), per_element());
    BOOST_TEST(handled.empty());
    pass(100ms, {&it});
    BOOST_TEST(handled == (texts{"A create"}), per_element());
}

BOOST_AUTO_TEST_CASE(is_told_once_of_a_reset_that_takes_longer_than_the_lease) {
    create("A");
    leave_cursor_of_another_journal(*this);
    auto options = quiet();
    int resets = 0;
    options.on_reset = [&](const feed_position&) {
        ++resets;
        time.advance(11s);
    };
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    pass(2s, {&it});
    BOOST_TEST(resets == 1);
    BOOST_TEST(handled == (texts{"A create"}), per_element());
    BOOST_TEST(stands() == 1U);
}

// Nothing is lost for a cursor that is new: it begins with what is kept.
BOOST_AUTO_TEST_CASE(begins_a_purged_journal_where_it_begins) {
    create("A");
    raise("A", "cancel");
    BOOST_REQUIRE_EQUAL(purge(), 2U);
    create("B");
    auto options = quiet();
    options.on_reset = [](const feed_position&) { BOOST_ERROR("there was no reset"); };
    answer = [](entries) { return follow_answer{0, entry_outcome::not_now, {}, 1min}; };
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    pass(2s, {&it});
    BOOST_TEST(watch.behind == 1U);  // what was purged does not count
    answer = {};
    it.try_again();
    pass(1s, {&it});
    BOOST_TEST(watch.errors.empty());
    BOOST_TEST(handled == (texts{"B create"}), per_element());
    BOOST_TEST(stands() == 3U);
}

BOOST_AUTO_TEST_CASE(begins_another_journal_than_the_cursor_knows_at_its_beginning) {
    create("A");
    leave_cursor_of_another_journal(*this);
    auto options = quiet();
    int resets = 0;
    options.on_reset = [&](const feed_position& oldest) {
        BOOST_TEST(handled.empty());
        BOOST_TEST(oldest.offset == 0U);
        if (++resets == 1) throw std::runtime_error("the index is away");
    };
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    pass(1s, {&it});
    BOOST_TEST(watch.errors == (texts{"follower.reset", "follower", "follower.reset"}),
               per_element());
    BOOST_TEST(resets == 2);
    BOOST_TEST(handled == (texts{"A create"}), per_element());
    BOOST_TEST(stands() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(of_several_followers, mail_room)

BOOST_AUTO_TEST_CASE(one_leads_and_another_takes_over_when_its_lease_ends) {
    journal_follower first(front, journal, quiet("a"));
    journal_follower second(front, journal, quiet("b"));
    BOOST_REQUIRE(first.start());
    BOOST_REQUIRE(second.start());
    create("A");
    const auto waiting = pass(30s, {&first, &second}, 1s);
    BOOST_TEST(handled == (texts{"A create"}), per_element());
    BOOST_TEST(!waiting.leading);
    BOOST_TEST((waiting.waits_for == feed_wait::leader));
    // The first goes silent.
    create("B");
    pass(8s, {&second}, 500ms);
    BOOST_TEST(handled.size() == 1U);
    pass(4s, {&second}, 500ms);
    BOOST_TEST(handled.back() == "B create");
    BOOST_TEST(stands() == 2U);
    // It wakes up, and is told.
    BOOST_TEST(!pass(1s, {&first}).leading);
    BOOST_TEST(handled.size() == 2U);
}

// Its lease ends in an hour, by the clock; by the monotonic one in ten seconds.
BOOST_AUTO_TEST_CASE(one_takes_over_from_a_clock_that_was_ahead) {
    journal_follower first(front, journal, quiet("a"));
    journal_follower second(front, journal, quiet("b"));
    BOOST_REQUIRE(first.start());
    BOOST_REQUIRE(second.start());
    pass(5s, {&first, &second}, 1s);
    time.step(-1h);
    create("A");
    pass(12s, {&second}, 500ms);
    BOOST_TEST(handled == (texts{"A create"}), per_element());
}

BOOST_AUTO_TEST_CASE(none_hands_over_after_its_lease_whatever_it_was_told) {
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    create("A");
    time.advance(10s);
    BOOST_TEST(!it.run_once().leading);
    BOOST_TEST(calls.empty());
    settle({&it});  // nobody else wanted it
    BOOST_TEST(handled == (texts{"A create"}), per_element());
}

BOOST_AUTO_TEST_CASE(a_handler_that_outlasts_the_lease_is_given_less) {
    for (const char* id : {"A", "B", "C", "D"}) create(id);
    answer = [this](entries given) {
        time.advance(3s * given.size());
        return handle(given);
    };
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    pass(5s, {&it});
    BOOST_TEST(calls == (std::vector<std::size_t>{4, 2, 2}), per_element());
    BOOST_TEST(watch.errors == (texts{"follower.lease"}), per_element());
    BOOST_TEST(stands() == 4U);
}

BOOST_AUTO_TEST_CASE(one_whose_handler_took_longer_than_the_lease_stores_nothing) {
    create("A");
    answer = [this](entries given) {
        time.advance(11s);
        answer = {};
        return handle(given);
    };
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    (void)it.run_once();
    BOOST_REQUIRE(front.run_once());
    BOOST_TEST(!it.run_once().leading);
    BOOST_REQUIRE(front.run_once());
    BOOST_TEST(stands() == 0U);
    pass(100ms, {&it});
    BOOST_TEST(handled == (texts{"A create", "A create"}), per_element());
    BOOST_TEST(stands() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(a_follower_that_stops, mail_room)

BOOST_AUTO_TEST_CASE(hands_over_the_rest_of_its_page_and_lets_the_cursor_go) {
    create_three();
    answer = [this](entries given) { return handle(given.first(1)); };
    journal_follower first(front, journal, quiet("a"));
    BOOST_REQUIRE(first.start());
    while (handled.empty()) {
        (void)first.run_once();
        (void)front.run_once();
    }
    create("D");
    first.stop(5s);
    BOOST_TEST(settle({&first}).stopped);
    BOOST_TEST(handled == (texts{"A create", "B create", "C create"}), per_element());
    BOOST_TEST(stands() == 3U);
    journal_follower second(front, journal, quiet("b"));
    BOOST_REQUIRE(second.start());
    settle({&second});  // it need not wait for the end of the lease
    BOOST_TEST(handled.back() == "D create");
}

BOOST_AUTO_TEST_CASE(waits_for_an_entry_no_longer_than_it_may) {
    create_three();
    answer = [this](entries given) { return handle_but_b(given, {0, entry_outcome::not_now}); };
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    it.stop(2s);
    BOOST_TEST(!pass(1900ms, {&it}).stopped);
    BOOST_TEST(pass(100ms, {&it}).stopped);
    BOOST_TEST(stands() == 1U);
}

BOOST_AUTO_TEST_CASE(with_no_time_to_drain_hands_over_nothing_more) {
    create_three();
    journal_follower* stopped = nullptr;
    answer = [&](entries given) {
        stopped->stop();
        return handle(given.first(1));
    };
    journal_follower it(front, journal, quiet());
    stopped = &it;
    BOOST_REQUIRE(it.start());
    BOOST_TEST(settle({&it}).stopped);
    BOOST_TEST(handled == (texts{"A create"}), per_element());
    BOOST_TEST(stands() == 1U);
}

BOOST_AUTO_TEST_CASE(has_nothing_to_do_any_more) {
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    it.stop();
    settle({&it});
    create("A");
    const int measures = watch.measures;
    const auto report = pass(30s, {&it}, 1s);
    BOOST_TEST(report.stopped);
    BOOST_TEST((report.next_due == clock::instant::max()));
    BOOST_TEST(calls.empty());
    BOOST_TEST(watch.measures == measures);
    BOOST_TEST(it.start().error().code == make_error_code(errc::stopped));
}

BOOST_AUTO_TEST_CASE(while_another_one_leads_is_stopped_at_once) {
    journal_follower first(front, journal, quiet("a"));
    journal_follower second(front, journal, quiet("b"));
    BOOST_REQUIRE(first.start());
    BOOST_REQUIRE(second.start());
    settle({&first, &second});
    second.stop(1h);
    const auto report = settle({&second});
    BOOST_TEST(report.stopped);
    BOOST_TEST((report.next_due == clock::instant::max()));
    create("A");
    settle({&first});
    BOOST_TEST(handled == (texts{"A create"}), per_element());
}

BOOST_AUTO_TEST_CASE(may_be_stopped_as_soon_as_its_host_is_called) {
    journal_follower* called = nullptr;
    auto options = quiet();
    options.on_ready = [&] { called->stop(); };
    journal_follower it(front, journal, options);
    called = &it;
    BOOST_TEST(it.start().has_value());
    BOOST_TEST(it.run_once().stopped);
}

// The cursor cannot move any more, so whatever it handled would be handled again.
BOOST_AUTO_TEST_CASE(because_the_engine_has_stopped_hands_over_nothing_more) {
    create_three();
    answer = [this](entries given) {
        front.stop();
        return handle(given.first(1));
    };
    auto options = quiet();
    options.move_every = 0ms;
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    pass(1min, {&it}, 1s);
    BOOST_TEST(handled == (texts{"A create"}), per_element());
    it.stop(1h);
    BOOST_TEST(settle({&it}).stopped);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_CASE(options_of_a_follower_are_checked, mail_room) {
    const auto refused = [&](const char* name, auto change) {
        auto options = quiet();
        change(options);
        journal_follower it(front, journal, options);
        const auto started = it.start();
        BOOST_REQUIRE(!started);
        BOOST_TEST(started.error().code == make_error_code(errc::invalid_argument));
        BOOST_TEST(started.error().detail.starts_with(name), started.error().detail);
    };
    refused("handler", [](follower_options& it) { it.handler = nullptr; });
    refused("cursor", [](follower_options& it) { it.cursor.clear(); });
    refused("cursor", [](follower_options& it) { it.cursor = std::string(65, 'c'); });
    refused("owner", [](follower_options& it) { it.owner = std::string(65, 'o'); });
    refused("lease", [](follower_options& it) { it.lease = 99ms; });
    refused("poll_interval", [](follower_options& it) { it.poll_interval = 0ms; });
    refused("move_every", [](follower_options& it) { it.move_every = it.lease; });
    refused("move_every", [](follower_options& it) { it.move_every = -1ms; });
    refused("page", [](follower_options& it) { it.page = 0; });
    refused("page", [](follower_options& it) { it.page = 1001; });
    refused("tries", [](follower_options& it) { it.tries = 0; });
    refused("give_up", [](follower_options& it) { it.give_up = unpublishable::park; });
    refused("threads", [](follower_options& it) { it.threads = 2; });
}

// With a thread: all is handed over, in order, and the cursor is where it says when stop() returns.
BOOST_AUTO_TEST_CASE(a_follower_with_a_thread_of_its_own) {
    const auto orders = make_memory_storage();
    engine front(*orders, status_machine::standard(), system_runtime());
    reader journal(*orders);
    constexpr std::uint64_t count = 200;
    std::vector<std::uint64_t> seen;  // the follower's thread only, until it has stopped
    std::promise<void> asked, all;
    follower_options options;
    options.cursor = "mailer";
    options.lease = 1h;
    options.handler = [&](entries given) -> follow_answer {
        if (seen.empty()) {
            seen.push_back(0);
            asked.set_value();
            return {0, entry_outcome::not_now, {}, 1h};
        }
        for (const journal_entry& it : given) seen.push_back(it.position.offset);
        if (seen.back() == count) all.set_value();
        return {given.size()};
    };
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    BOOST_REQUIRE(it.start());
    for (std::uint64_t i = 0; i < count; ++i) {
        BOOST_REQUIRE(!front.execute(testing::order_builder{}.submit()).ec);
    }
    asked.get_future().wait();
    it.try_again();
    all.get_future().wait();
    it.stop(10s);
    BOOST_REQUIRE(seen.size() == count + 1);
    for (std::uint64_t i = 0; i <= count; ++i) BOOST_TEST(seen[i] == i);
    const auto at = journal.use([](repository_reader& from) { return from.find_cursor("mailer"); });
    BOOST_TEST(at.value()->offset == count);
}

// stop() on its own thread returns at once, and the thread ends.
BOOST_AUTO_TEST_CASE(a_follower_is_stopped_by_its_handler) {
    const auto orders = make_memory_storage();
    engine front(*orders, status_machine::standard(), system_runtime());
    reader journal(*orders);
    journal_follower* stopped = nullptr;
    std::promise<void> done;
    follower_options options;
    options.cursor = "mailer";
    options.handler = [&](entries given) -> follow_answer {
        stopped->stop();
        done.set_value();
        return {given.size()};
    };
    journal_follower it(front, journal, options);
    stopped = &it;
    BOOST_REQUIRE(it.start());
    BOOST_REQUIRE(!front.execute(testing::order_builder{}.submit()).ec);
    done.get_future().wait();
    it.stop();
    const auto at = journal.use([](repository_reader& from) { return from.find_cursor("mailer"); });
    BOOST_TEST(at.value()->offset == 1U);
}
