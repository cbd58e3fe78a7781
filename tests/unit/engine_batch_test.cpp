// What goes into a batch, what waits, and what is not let in.

#include "engine_fixture.hpp"

#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;

BOOST_AUTO_TEST_SUITE(grouping)

BOOST_FIXTURE_TEST_CASE(what_waits_goes_together_and_in_order, fixture) {
    engine it(orders, machine, with, by_hand());
    BOOST_TEST(it.run_once().value() == 0U);
    for (const char* id : {"A", "B", "C"}) ask(it, create(id));
    BOOST_TEST(it.queued() == 3U);
    BOOST_TEST(it.run_once().value() == 3U);
    BOOST_TEST(it.queued() == 0U);
    BOOST_TEST(it.run_once().value() == 0U);
    BOOST_TEST((seen() == std::vector<names>{{"A", "B", "C"}}));
    for (recorder& done : asked) {
        BOOST_TEST(done.calls() == 1);
        BOOST_TEST(!done.wait().ec);
    }
    BOOST_TEST((asked[2].wait().after->id.view() == "C"));
}

BOOST_FIXTURE_TEST_CASE(each_is_refused_on_its_own, fixture) {
    engine it(orders, machine, with, by_hand());
    ask(it, create("A"));
    BOOST_REQUIRE(it.run_once());
    ask(it, create("A"));
    ask(it, create("B"));
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_TEST(asked[1].ec() == errc::already_exists);
    BOOST_TEST(!asked[2].ec());
}

BOOST_FIXTURE_TEST_CASE(a_batch_has_a_size, fixture) {
    engine it(orders, machine, with, by_hand(3));
    for (const char* id : {"A", "B", "C", "D", "E", "F", "G"}) ask(it, create(id));
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{{"A", "B", "C"}, {"D", "E", "F"}, {"G"}}));
}

BOOST_FIXTURE_TEST_CASE(a_second_change_of_an_order_waits_and_is_not_overtaken, fixture) {
    engine it(orders, machine, with, by_hand());
    ask(it, create("A"));
    ask(it, raise("A", "cancel"));
    ask(it, create("B"));
    ask(it, raise("A", "retry"));
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{{"A", "B"}, {"A"}, {"A"}}));
    BOOST_TEST(!asked[1].ec());
    BOOST_TEST(asked[3].ec() == errc::transition_rejected);
}

// Two orders whose hashes are equal would wait for each other. These are equal by libstdc++'s
// std::hash, whose seed everybody knows.
BOOST_FIXTURE_TEST_CASE(ids_that_were_made_to_collide_share_a_batch, fixture) {
    engine it(orders, machine, with, by_hand());
    const names ids{"ORD-00000000AAAA", "jfZAAAAA:k6XQBkZ", "T6ZAAAAAFLDvw-0D", "qhbAAAAAHiv4PY:9",
                    "6sYBAAAAy58vRBPv", "rHdBAAAAz6XzlaLq", "DViBAAAApZGoGvZD", "IbpBAAAASf.6sSZC"};
    for (const std::string& id : ids) ask(it, create(id));
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{ids}));
}

BOOST_FIXTURE_TEST_CASE(what_was_put_off_goes_first, fixture) {
    engine it(orders, machine, with, by_hand(2));
    ask(it, create("A"));
    ask(it, raise("A", "cancel"));
    for (const char* id : {"B", "C", "D"}) ask(it, create(id));
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{{"A", "B"}, {"A", "C"}, {"D"}}));
}

BOOST_FIXTURE_TEST_CASE(an_idempotency_key_is_answered_by_its_first, fixture) {
    engine it(orders, machine, with, by_hand());
    ask(it, with_key(create("A"), 1));
    ask(it, with_key(create("B"), 1));
    ask(it, with_key(create("C"), 1, 2));
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(asked[1].wait().replayed);
    BOOST_TEST((asked[1].wait().after->id.view() == "A"));
    BOOST_TEST(asked[2].ec() == errc::idempotency_mismatch);
    BOOST_TEST(orders.orders().size() == 1U);
}

// The second waits for its key; so the third, on the second's order, has to wait as well.
BOOST_FIXTURE_TEST_CASE(waiting_for_a_key_keeps_the_order_of_the_order, fixture) {
    engine it(orders, machine, with, by_hand());
    ask(it, create("B"));
    BOOST_REQUIRE(it.run_once());
    ask(it, with_key(create("A"), 1));
    ask(it, with_key(raise("B", "cancel"), 1));
    ask(it, with_key(raise("B", "retry"), 2));
    ask(it, with_key(create("C"), 2));  // behind the key of one that waits
    ask(it, with_key(create("D"), 3));
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{{"B"}, {"A", "D"}, {"B"}, {"B"}, {"C"}}));
}

BOOST_FIXTURE_TEST_CASE(many_on_one_order_keep_their_turn, fixture) {
    engine it(orders, machine, with, by_hand(4));
    ask(it, create("A"));
    for (int i = 0; i < 300; ++i) ask(it, with_key(raise("A", "cancel"), 0));
    for (int i = 0; i < 300; ++i) ask(it, raise("A", "cancel"));
    ask(it, create("B"));
    BOOST_TEST(it.run_once().value() == 2U);  // A and B
    std::size_t batches = 1;
    while (it.run_once().value() == 1) ++batches;
    BOOST_TEST(batches == 601U);
}

BOOST_FIXTURE_TEST_CASE(writes_are_named_and_numbered, fixture) {
    engine it(orders, machine, with, by_hand(1));
    ask(it, create("A"));
    ask(it, create("B"));
    while (it.run_once().value() > 0) continue;
    const auto batches = orders.batches();
    BOOST_REQUIRE(batches.size() == 2U);
    BOOST_TEST(batches[0].writer.size() == 16U);
    BOOST_TEST(batches[0].writer.find_first_not_of("0123456789abcdef") == std::string::npos);
    BOOST_TEST(batches[0].writer == batches[1].writer);
    BOOST_TEST(batches[0].sequence < batches[1].sequence);
    engine other(orders, machine, with, by_hand());
    ask(other, create("C"));
    BOOST_REQUIRE(other.run_once());
    BOOST_TEST(orders.batches()[2].writer != batches[0].writer);
}

BOOST_FIXTURE_TEST_CASE(a_thread_takes_all_that_came_during_its_last_write, fixture) {
    orders.hold("first");
    engine it(orders, machine, with, threaded());
    ask(it, create("first"));
    orders.wait_for_held();
    for (const char* id : {"A", "B", "C"}) ask(it, create(id));
    orders.let_go();
    for (recorder& done : asked) BOOST_TEST(!done.wait().ec);
    BOOST_TEST((seen() == std::vector<names>{{"first"}, {"A", "B", "C"}}));
}

BOOST_AUTO_TEST_CASE(idempotency_keys_are_forgotten_after_their_time) {
    const auto kept = make_memory_storage();
    testing::manual_clock time;
    testing::seeded_random random;
    observer nobody;
    engine_options options = by_hand();
    options.keys_kept = std::chrono::hours(72);
    engine it(*kept, status_machine::standard(), {time, random, nobody}, options);
    command first = create("A");
    first.idempotency_key.emplace();
    BOOST_TEST(!it.execute(first).ec);
    time.advance(std::chrono::hours(72));
    BOOST_TEST(!it.execute(create("B")).ec);
    BOOST_TEST(it.execute(first).replayed);
    time.advance(std::chrono::milliseconds(1));
    BOOST_TEST(!it.execute(create("C")).ec);
    BOOST_TEST(it.execute(first).ec == errc::already_exists);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(bounds)

BOOST_FIXTURE_TEST_CASE(commands_are_shed_and_lease_holders_are_not, fixture) {
    engine it(orders, machine, with, by_hand(512, 2));
    ask(it, create("A"));
    ask(it, create("B"));
    recorder shed;
    BOOST_TEST(it.submit(create("C"), shed).error().code == errc::overloaded);
    recorder renewed;
    claim_recorder claimed;
    BOOST_TEST(it.submit(renewal("A", lease_token{1}, time.now()), renewed).has_value());
    BOOST_TEST(it.submit(work(), claimed).has_value());
    BOOST_TEST(it.queued() == 4U);
    BOOST_TEST(it.run_once().value() == 3U);
    BOOST_TEST(it.submit(create("C"), shed).has_value());  // there is room again
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_TEST(shed.calls() == 1);
    BOOST_TEST(claimed.calls == 1);
    BOOST_TEST(claimed.got.orders.size() == 2U);
    BOOST_TEST(!renewed.ec());
}

// One put off does not leave the queue, and still counts.
BOOST_FIXTURE_TEST_CASE(what_is_put_off_still_counts, fixture) {
    engine it(orders, machine, with, by_hand(512, 2));
    ask(it, create("A"));
    ask(it, raise("A", "cancel"));
    BOOST_REQUIRE(it.run_once());
    ask(it, create("B"));
    recorder shed;
    BOOST_TEST(it.submit(create("C"), shed).error().code == errc::overloaded);
    while (it.run_once().value() > 0) continue;
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_lowered_is_not_queued, fixture) {
    engine it(orders, machine, with, by_hand());
    recorder done;
    BOOST_TEST(it.submit(raise("A", "no-such-event"), done).error().code == errc::not_found);
    BOOST_TEST(it.queued() == 0U);
    BOOST_TEST(done.calls() == 0);
    BOOST_TEST(it.execute(raise("A", "start")).ec == errc::transition_rejected);
}

BOOST_FIXTURE_TEST_CASE(stopped_it_takes_nothing_and_finishes_what_it_took, fixture) {
    {
        engine it(orders, machine, with, by_hand());
        ask(it, create("A"));
        ask(it, raise("A", "cancel"));
        it.stop();
        it.stop();
        recorder refused;
        claim_recorder refused_claim;
        BOOST_TEST(it.submit(create("B"), refused).error().code == errc::stopped);
        BOOST_TEST(it.submit(renewal("A", lease_token{1}, time.now()), refused).error().code ==
                   errc::stopped);
        BOOST_TEST(it.submit(work(), refused_claim).error().code == errc::stopped);
        BOOST_TEST(it.execute(create("B")).ec == errc::stopped);
        BOOST_TEST(refused.calls() == 0);
        BOOST_TEST(it.run_once().value() == 1U);
    }
    BOOST_TEST(!asked[0].ec());
    BOOST_TEST(!asked[1].ec());
    BOOST_TEST(asked[1].calls() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_thread_drains_before_it_is_joined, fixture) {
    orders.hold("A");
    {
        engine it(orders, machine, with, threaded());
        ask(it, create("A"));
        orders.wait_for_held();
        ask(it, raise("A", "cancel"));
        ask(it, create("B"));
        it.stop();
        BOOST_TEST(it.queued() == 2U);
        orders.let_go();
    }
    for (recorder& done : asked) {
        BOOST_TEST(done.calls() == 1);
        BOOST_TEST(!done.ec());
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cursors)

BOOST_FIXTURE_TEST_CASE(a_move_rides_along_with_what_waits, fixture) {
    engine it(orders, machine, with, by_hand());
    counting_listener listener;
    it.add_listener(listener);
    ask(it, create("A"));
    cursor_recorder done;
    BOOST_REQUIRE(it.submit(move_of("relay", "me", 0), done));
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_REQUIRE(done.calls == 1);
    BOOST_TEST(!done.got.ec);
    BOOST_TEST(done.got.at.epoch != 0U);
    BOOST_TEST(orders.batches().size() == 1U);
    BOOST_TEST(watch.batches[0].cursors == 1U);
    BOOST_TEST(listener.calls == 1);

    // Alone it is a write, but no news: relays would wake each other for ever.
    BOOST_REQUIRE(it.submit(move_of("relay", "me", 1), done));
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(done.got.at.offset == 1U);
    BOOST_TEST(listener.calls == 1);
    it.remove_listener(listener);
}

BOOST_FIXTURE_TEST_CASE(two_moves_of_a_cursor_never_share_a_batch, fixture) {
    engine it(orders, machine, with, by_hand());
    cursor_recorder first, second, other;
    BOOST_REQUIRE(it.submit(move_of("relay", "me", 1), first));
    BOOST_REQUIRE(it.submit(move_of("relay", "me", 2), second));
    BOOST_REQUIRE(it.submit(move_of("webhook-1", "me", 9), other));
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_TEST(first.got.at.offset == 1U);
    BOOST_TEST(other.got.at.offset == 9U);
    BOOST_TEST(second.calls == 0);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(second.got.at.offset == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_move_of_who_lost_the_lease_is_refused, fixture) {
    engine it(orders, machine, with, by_hand());
    cursor_recorder first, done;
    BOOST_REQUIRE(it.submit(move_of("relay", "me", 1), first));
    BOOST_REQUIRE(it.submit(move_of("relay", "other", 7), done));
    BOOST_REQUIRE(it.run_once());
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(done.got.ec == errc::lease_lost);
    BOOST_TEST(done.got.at.offset == 1U);
    time.advance(std::chrono::seconds(61));
    BOOST_REQUIRE(it.submit(move_of("relay", "other", 7), done));
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(!done.got.ec);
    BOOST_TEST(done.got.at.offset == 7U);
}

BOOST_FIXTURE_TEST_CASE(moves_are_never_shed_and_told_of_a_failed_write, fixture) {
    engine it(orders, machine, with, by_hand(512, 1));
    ask(it, create("A"));
    cursor_recorder done;
    BOOST_REQUIRE(it.submit(move_of("relay", "me", 1), done));
    orders.next_writes({fault::unavailable});
    BOOST_TEST(!it.run_once());
    BOOST_TEST(done.calls == 1);
    BOOST_TEST(done.got.ec == errc::unavailable);
    it.stop();
    BOOST_TEST(it.submit(move_of("relay", "me", 1), done).error().code == errc::stopped);
}

BOOST_FIXTURE_TEST_CASE(a_move_in_doubt_is_resolved_with_the_rest, fixture) {
    engine it(orders, machine, with, by_hand());
    cursor_recorder done;
    BOOST_REQUIRE(it.submit(move_of("relay", "me", 3), done));
    orders.next_writes({fault::unknown_written});
    while (done.calls == 0) (void)it.run_once();
    BOOST_TEST(!done.got.ec);
    BOOST_TEST(done.got.at.offset == 3U);
    BOOST_TEST(orders.batches().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(records)

namespace {
change_record create_record(std::string key) {
    return {record_action::create, "webhooks", std::move(key), 0, "bytes", {}};
}
}  // namespace

BOOST_FIXTURE_TEST_CASE(a_record_rides_along_with_what_waits, fixture) {
    engine it(orders, machine, with, by_hand());
    counting_listener listener;
    it.add_listener(listener);
    ask(it, create("A"));
    record_recorder first, second;
    BOOST_REQUIRE(it.submit(create_record("one"), first));
    BOOST_REQUIRE(it.submit(create_record("two"), second));
    BOOST_TEST(it.run_once().value() == 3U);
    BOOST_TEST(orders.batches().size() == 1U);
    BOOST_TEST(watch.batches[0].records == 2U);
    BOOST_REQUIRE(first.got.present.has_value());
    BOOST_TEST(first.got.present->key == "one");
    BOOST_TEST(second.got.present->version > first.got.present->version);

    // Alone it is a write, but no news: it is not in the journal.
    listener.calls = 0;
    BOOST_REQUIRE(it.submit(create_record("one"), first));
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(first.got.ec == errc::already_exists);
    BOOST_TEST(listener.calls == 0);
    it.remove_listener(listener);
}

BOOST_FIXTURE_TEST_CASE(two_changes_of_a_record_never_share_a_batch, fixture) {
    engine it(orders, machine, with, by_hand());
    record_recorder first, second;
    BOOST_REQUIRE(it.submit(create_record("one"), first));
    BOOST_REQUIRE(it.submit(create_record("one"), second));
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(second.calls == 0);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(second.got.ec == errc::already_exists);
}

BOOST_FIXTURE_TEST_CASE(a_record_that_cannot_be_kept_is_refused, fixture) {
    engine it(orders, machine, with, by_hand());
    record_recorder done;
    const auto endless = it.submit(create_record(std::string(129, 'k')), done);
    BOOST_TEST(endless.error().code == errc::invalid_argument);
    BOOST_TEST(endless.error().detail.find("129") != std::string::npos);
    orders.capabilities = {};
    engine without(orders, machine, with, by_hand());
    const auto missing = without.submit(create_record("one"), done);
    BOOST_TEST(missing.error().code == errc::not_supported);
    BOOST_TEST(missing.error().detail ==
               "a record needs a storage with records, which scripted does not have");
    BOOST_TEST(done.calls == 0);
}

BOOST_FIXTURE_TEST_CASE(records_are_never_shed_and_told_of_a_failed_write, fixture) {
    engine it(orders, machine, with, by_hand(512, 1));
    ask(it, create("A"));
    record_recorder done;
    BOOST_REQUIRE(it.submit(create_record("one"), done));
    orders.next_writes({fault::unavailable});
    BOOST_TEST(!it.run_once());
    BOOST_TEST(done.got.ec == errc::unavailable);
    BOOST_REQUIRE(it.submit(create_record("one"), done));
    orders.next_writes({fault::unknown_written});
    while (done.calls < 2) (void)it.run_once();
    BOOST_TEST(!done.got.ec);
    BOOST_TEST(done.got.present.has_value());
    it.stop();
    BOOST_TEST(it.submit(create_record("two"), done).error().code == errc::stopped);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(purges)

BOOST_FIXTURE_TEST_CASE(what_keys_may_still_ask_for_stays, fixture) {
    engine_options options = by_hand();
    options.keys_kept = std::chrono::hours(2);
    engine it(orders, machine, with, options);
    ask(it, create("A"));
    BOOST_REQUIRE(it.run_once());
    ask(it, raise("A", "cancel"));
    BOOST_REQUIRE(it.run_once());
    purge_orders all;
    all.before = timestamp::max();
    purge_recorder first, second;
    time.advance(std::chrono::hours(2));
    BOOST_REQUIRE(it.submit(all, first));
    BOOST_REQUIRE(it.submit(all, second));  // in a batch of its own
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(first.got.orders == 0U);
    time.advance(std::chrono::milliseconds(1));
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(second.got.orders == 1U);
    BOOST_TEST(second.got.floor.offset == 2U);
    BOOST_TEST(watch.batches.back().purges == 1U);
    BOOST_TEST(orders.orders().empty());
}

// If it fails, or takes long, then no order does with it.
BOOST_FIXTURE_TEST_CASE(a_purge_shares_a_write_with_nobody, fixture) {
    engine it(orders, machine, with, by_hand());
    ask(it, create("A"));
    ask(it, create("B"));
    purge_recorder done;
    BOOST_REQUIRE(it.submit(purge_orders{}, done));
    ask(it, create("C"));
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_TEST(done.calls == 0);
    orders.next_writes({fault::unavailable});
    BOOST_TEST(!it.run_once());
    BOOST_TEST(done.got.ec == errc::unavailable);
    BOOST_TEST(asked[2].calls() == 0);
    BOOST_TEST(it.run_once().value() == 1U);
    for (recorder& one : asked) BOOST_TEST(!one.wait().ec);
    BOOST_TEST((seen() == std::vector<names>{{"A", "B"}, {}, {"C"}}));
}

BOOST_FIXTURE_TEST_CASE(a_purge_that_makes_no_sense_is_refused, fixture) {
    engine it(orders, machine, with, by_hand());
    purge_recorder done;
    purge_orders none;
    none.limit = 0;
    BOOST_TEST(it.submit(none, done).error().code == errc::invalid_argument);
    orders.capabilities = {};
    engine without(orders, machine, with, by_hand());
    BOOST_TEST(without.submit(purge_orders{}, done).error().code == errc::not_supported);
    orders.next_writes({fault::unavailable});
    BOOST_REQUIRE(it.submit(purge_orders{}, done));
    BOOST_TEST(!it.run_once());
    BOOST_TEST(done.got.ec == errc::unavailable);
    BOOST_TEST(done.calls == 1);
}

BOOST_AUTO_TEST_SUITE_END()
