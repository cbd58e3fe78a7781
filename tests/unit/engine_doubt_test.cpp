// Failures, and outcomes that are not known.

#include "engine_fixture.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <utility>

using namespace orderproc;
using namespace orderproc::tests;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(failures)

BOOST_FIXTURE_TEST_CASE(unavailable_is_said_to_all_and_connected_to_anew, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fault::unavailable});
    ask(it, create("A"));
    ask(it, create("B"));
    claim_recorder claimed;
    BOOST_REQUIRE(it.submit(work(), claimed));
    BOOST_TEST(it.run_once().error().code == errc::unavailable);
    BOOST_TEST(asked[0].ec() == errc::unavailable);
    BOOST_TEST(asked[1].ec() == errc::unavailable);
    BOOST_TEST(claimed.got_ec == errc::unavailable);
    BOOST_TEST(orders.connects() == 1U);
    BOOST_TEST(it.execute(create("A")).after.has_value());
    BOOST_TEST(orders.connects() == 2U);
    BOOST_TEST(it.execute(create("B")).after.has_value());
    BOOST_TEST(orders.connects() == 2U);
    BOOST_TEST((watch.errors == names{"engine.write: as told (fault_storage)"}));
}

BOOST_FIXTURE_TEST_CASE(a_storage_that_cannot_be_reached_says_why, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.fail_connects(1, errc::schema_mismatch);
    BOOST_TEST(it.execute(create("A")).ec == errc::schema_mismatch);
    orders.fail_connects(1, errc::outcome_unknown);  // but nothing was sent
    BOOST_TEST(it.execute(create("A")).ec == errc::unavailable);
    BOOST_TEST(!it.execute(create("A")).ec);
}

BOOST_FIXTURE_TEST_CASE(a_lost_answer_of_a_write_that_was_made, fixture) {
    engine it(orders, machine, with, by_hand());
    counting_listener listener;
    it.add_listener(listener);
    for (const std::string id : {"A", "B"}) {
        if (id == "A") orders.next_writes({fault::unknown_written});
        if (id == "B") orders.mute_next_write();
        recorder& done = ask(it, create(id));
        BOOST_TEST(!it.run_once());
        BOOST_TEST(done.calls() == 0);  // kept until it is known
        const std::size_t writes = orders.batches().size();
        BOOST_TEST(it.run_once().value() == 1U);
        BOOST_TEST(!done.wait().ec);
        BOOST_REQUIRE(done.wait().after);
        BOOST_TEST((done.wait().after->id.view() == id));
        BOOST_TEST(orders.batches().size() == writes);  // asked, not written again
    }
    BOOST_TEST(listener.calls == 2);
    BOOST_TEST(orders.connects() == 3U);
    BOOST_TEST(orders.orders().size() == 2U);
    it.remove_listener(listener);
}

BOOST_FIXTURE_TEST_CASE(a_lost_answer_of_a_write_that_was_not_made, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fault::unknown_unwritten});
    ask(it, create("A"));
    ask(it, create("B"));
    BOOST_TEST(!it.run_once());
    ask(it, create("C"));  // waits: the batch is as it was
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_TEST((seen() == std::vector<names>{{"A", "B"}, {"A", "B"}}));
    BOOST_TEST(orders.batches()[0].sequence < orders.batches()[1].sequence);
    BOOST_TEST(!asked[0].ec());
    BOOST_TEST(orders.orders().size() == 2U);
    BOOST_TEST(it.run_once().value() == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_outcome_that_cannot_be_found_out_is_said_to_be_unknown, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fault::unknown_written});
    orders.fail_asks(3);
    ask(it, create("A"));
    claim_recorder claimed;
    BOOST_REQUIRE(it.submit(work(), claimed));
    for (int i = 0; i < 3; ++i) {  // the write and two times asking
        BOOST_TEST(!it.run_once());
        BOOST_TEST(asked[0].calls() == 0);
        time.advance(1s);
    }
    BOOST_TEST(it.run_once().error().code == errc::unavailable);
    BOOST_TEST(asked[0].ec() == errc::outcome_unknown);
    BOOST_TEST(claimed.got_ec == errc::outcome_unknown);
    BOOST_TEST(orders.asks() == 3U);
    BOOST_TEST(it.run_once().value() == 0U);
    BOOST_TEST(it.execute(create("A")).ec == errc::already_exists);
}

BOOST_FIXTURE_TEST_CASE(a_failed_ask_is_made_again, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fault::unknown_written});
    orders.fail_asks(2);
    BOOST_TEST(!it.execute(create("A")).ec);
    orders.next_writes({fault::unknown_written});
    ask(it, create("B"));
    BOOST_TEST(!it.run_once());
    orders.fail_connects(2);
    BOOST_TEST(!it.run_once());
    time.advance(10ms);
    BOOST_TEST(!it.run_once());
    time.advance(20ms);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(!asked[0].ec());
}

// At once, then ever more rarely, as with threads.
BOOST_FIXTURE_TEST_CASE(the_host_is_told_when_to_ask_again, fixture) {
    engine it(orders, machine, with, by_hand());
    BOOST_TEST((it.next_due() == clock::instant::max()));
    ask(it, create("A"));
    BOOST_TEST((it.next_due() <= time.monotonic()));
    orders.next_writes({fault::unknown_written});
    orders.fail_asks(2);
    BOOST_TEST(!it.run_once());
    BOOST_TEST((it.next_due() <= time.monotonic()));
    for (const auto pause : {10ms, 20ms}) {
        BOOST_TEST(!it.run_once());
        const std::size_t asks = orders.asks();
        BOOST_TEST((it.next_due() == time.monotonic() + pause));
        BOOST_TEST(it.run_once().value() == 0U);  // too early
        BOOST_TEST(orders.asks() == asks);
        BOOST_TEST(asked[0].calls() == 0);
        time.advance(pause);
    }
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(!asked[0].ec());
    BOOST_TEST((it.next_due() == clock::instant::max()));
}

BOOST_FIXTURE_TEST_CASE(losing_every_write_comes_to_an_end, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fault::unknown_unwritten, fault::unknown_unwritten,
                        fault::unknown_unwritten, fault::unknown_unwritten});
    BOOST_TEST(it.execute(create("A")).ec == errc::outcome_unknown);
    BOOST_TEST(orders.asks() == 3U);
    BOOST_TEST(orders.batches().size() == 4U);
    BOOST_TEST(orders.orders().empty());
}

BOOST_FIXTURE_TEST_CASE(after_an_unknown_a_certain_failure_is_certain, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fault::unknown_unwritten, fault::unavailable});
    BOOST_TEST(it.execute(create("A")).ec == errc::unavailable);
    BOOST_TEST(orders.orders().empty());
}

BOOST_FIXTURE_TEST_CASE(never_two_orders_out_of_an_unknown, fixture) {
    engine it(orders, machine, with, by_hand());
    std::set<std::int64_t> numbers;
    for (int round = 0; round < 4; ++round) {
        orders.next_writes({fault::unknown_unwritten, fault::unknown_written});
        command what = create("X");
        std::get<submit_order>(what.what).value.id = {};  // the storage could not tell
        const change_outcome got = it.execute(std::move(what));
        BOOST_TEST(!got.ec);
        BOOST_REQUIRE(got.after);
        numbers.insert(got.after->number);
    }
    BOOST_TEST(numbers.size() == 4U);
    BOOST_TEST(orders.orders().size() == 4U);
}

BOOST_FIXTURE_TEST_CASE(exceptions_are_answered_truly, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.throw_at_connect();
    BOOST_TEST(it.execute(create("A")).ec == errc::unavailable);
    orders.throw_a_number_at_connect();
    BOOST_TEST(it.execute(create("A")).ec == errc::unavailable);
    orders.next_writes({fault::throws, fault::throws_written});
    // Not applied, so written again; applied, but the results were lost.
    BOOST_TEST(it.execute(create("A")).ec == errc::outcome_unknown);
    BOOST_TEST(orders.asks() == 2U);
    BOOST_TEST(it.execute(create("A")).ec == errc::already_exists);
    BOOST_TEST((watch.errors == names{"engine: std::bad_alloc", "engine: unknown exception",
                                      "engine: std::bad_alloc", "engine: std::bad_alloc"}));
}

// It was the asking that threw, not the write: its results are as good as before.
BOOST_FIXTURE_TEST_CASE(an_exception_while_asking_keeps_the_results, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fault::unknown_written});
    recorder& done = ask(it, create("A"));
    BOOST_TEST(!it.run_once());
    orders.throw_at_connect();
    BOOST_TEST(it.run_once().error().code == errc::outcome_unknown);
    BOOST_TEST(done.calls() == 0);
    time.advance(10ms);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(!done.wait().ec);
    BOOST_TEST(done.wait().after.has_value());
}

BOOST_FIXTURE_TEST_CASE(a_thread_outlives_all_of_it, fixture) {
    engine it(orders, machine, with, threaded());
    orders.throw_at_connect();
    BOOST_TEST(it.execute(create("A")).ec == errc::unavailable);
    orders.next_writes({fault::throws});
    BOOST_TEST(!it.execute(create("A")).ec);
    orders.next_writes({fault::unknown_unwritten, fault::unknown_written});
    orders.fail_asks(1);
    BOOST_TEST(!it.execute(create("B")).ec);
    BOOST_TEST(orders.orders().size() == 2U);
}

// Ten minutes of pauses, if they were waited for.
BOOST_FIXTURE_TEST_CASE(stopping_cuts_the_pauses_short, fixture) {
    engine_options options = threaded();
    options.resolve_attempts = 600;
    {
        engine it(orders, machine, with, options);
        orders.next_writes({fault::unknown_written});
        orders.fail_asks(1000);
        ask(it, create("A"));
        orders.wait_for_asks(2);
    }
    BOOST_TEST(asked[0].ec() == errc::outcome_unknown);
    BOOST_TEST(orders.asks() == 600U);
}

BOOST_FIXTURE_TEST_CASE(a_batch_in_doubt_is_answered_before_the_engine_goes, fixture) {
    {
        engine it(orders, machine, with, by_hand());
        orders.next_writes({fault::unknown_written});
        ask(it, create("A"));
        BOOST_TEST(!it.run_once());
    }
    BOOST_TEST(asked[0].calls() == 1);
    BOOST_TEST(!asked[0].ec());
}

BOOST_AUTO_TEST_SUITE_END()
