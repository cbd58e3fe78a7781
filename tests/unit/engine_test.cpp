// Completions, listeners, threads and the observer.

#include "engine_fixture.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;

BOOST_AUTO_TEST_SUITE(completions)

BOOST_FIXTURE_TEST_CASE(one_may_be_submitted_again_while_it_completes, fixture) {
    engine it(orders, machine, with, by_hand());
    recorder done;
    done.then = [&] {
        if (done.calls() < 3) BOOST_TEST(it.submit(raise("A", "cancel"), done).has_value());
    };
    BOOST_REQUIRE(it.submit(create("A"), done));
    ask(it, create("B"));
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_TEST(asked[0].calls() == 1);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(it.run_once().value() == 0U);
    BOOST_TEST(done.calls() == 3);
    BOOST_TEST(orders.journal("A").size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(one_carries_nothing_of_the_command_before, fixture) {
    engine it(orders, machine, with, by_hand());
    recorder done;
    command with_all = raise("A", "cancel");  // only from some statuses
    with_all.version = order_version(1);
    with_all.scope.user = "1";
    with_all.actor = "somebody";
    for (command what : {create("A"), with_all, command{erase_order{"A"}}}) {
        BOOST_REQUIRE(it.submit(std::move(what), done));
        BOOST_REQUIRE(it.run_once().value() == 1U);
        BOOST_TEST(!done.ec(), done.ec().message());
    }
    BOOST_TEST(orders.journal("A").back().actor.empty());
}

BOOST_FIXTURE_TEST_CASE(one_may_be_gone_when_it_completed, fixture) {
    struct fleeting final : completion {
        explicit fleeting(int& out) : count(out) {}
        void complete(change_outcome&) noexcept override {
            ++count;
            delete this;
        }
        int& count;
    };
    engine it(orders, machine, with, by_hand());
    int count = 0;
    for (const char* id : {"A", "B", "C"}) {
        BOOST_REQUIRE(it.submit(create(id), *new fleeting(count)));
    }
    BOOST_TEST(it.run_once().value() == 3U);
    BOOST_TEST(count == 3);
}

BOOST_FIXTURE_TEST_CASE(no_lock_is_held_while_they_are_called, fixture) {
    engine it(orders, machine, with, by_hand());
    counting_listener other;
    recorder done;
    done.then = [&] {
        it.add_listener(other);
        it.wake();
        it.remove_listener(other);
        BOOST_TEST(it.queued() == 0U);
        it.stop();
    };
    BOOST_REQUIRE(it.submit(create("A"), done));
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(other.calls == 1);
}

BOOST_FIXTURE_TEST_CASE(a_claim_shares_a_batch_with_what_it_takes, fixture) {
    engine it(orders, machine, with, by_hand());
    ask(it, create("A"));
    claim_recorder claimed;
    BOOST_REQUIRE(it.submit(work(), claimed));
    BOOST_TEST(it.run_once().value() == 2U);
    BOOST_REQUIRE(claimed.got.orders.size() == 1U);
    BOOST_TEST((claimed.got.orders[0].value.id.view() == "A"));
    BOOST_TEST(orders.batches()[0].claims == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(listeners)

BOOST_FIXTURE_TEST_CASE(they_are_told_before_the_completions, fixture) {
    engine it(orders, machine, with, by_hand());
    counting_listener listener;
    int told_before = -1;
    recorder done;
    done.then = [&] { told_before = listener.calls; };
    listener.then = [&] { BOOST_TEST(orders.orders().size() == 1U); };
    it.add_listener(listener);
    BOOST_REQUIRE(it.submit(create("A"), done));
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(told_before == 1);
    it.wake();
    BOOST_TEST(listener.calls == 2);
    it.remove_listener(listener);
    it.wake();
    BOOST_TEST(listener.calls == 2);
}

BOOST_FIXTURE_TEST_CASE(they_are_told_only_of_what_is_in_the_journal, fixture) {
    engine it(orders, machine, with, by_hand());
    counting_listener listener;
    ask(it, with_key(create("A"), 1));
    BOOST_REQUIRE(it.run_once());
    it.add_listener(listener);

    time.advance(std::chrono::seconds(1));
    ask(it, create("A"));  // refused
    BOOST_REQUIRE(it.run_once());
    ask(it, with_key(create("A"), 1));  // replayed
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(listener.calls == 0);

    claim_recorder claimed;
    BOOST_REQUIRE(it.submit(work(), claimed));
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(listener.calls == 1);
    BOOST_REQUIRE(it.submit(work(), claimed));  // nothing left
    BOOST_REQUIRE(it.run_once());
    recorder renewed;
    BOOST_REQUIRE(it.submit(renewal("A", lease_token{1}, timestamp::max()), renewed));
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(!renewed.ec());
    BOOST_TEST(listener.calls == 1);

    ask(it, create("B"));
    BOOST_REQUIRE(it.run_once());
    ask(it, raise("B", "cancel"));
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(listener.calls == 3);
    time.advance(std::chrono::seconds(1));
    ask(it, raise("B", "cancel"));  // there already
    BOOST_REQUIRE(it.run_once());
    BOOST_TEST(!asked.back().ec());
    orders.next_writes({fault::unavailable});
    ask(it, create("C"));
    BOOST_TEST(!it.run_once());
    BOOST_TEST(listener.calls == 3);
    it.remove_listener(listener);
}

BOOST_FIXTURE_TEST_CASE(one_may_remove_itself_or_another_while_told, fixture) {
    engine it(orders, machine, with, by_hand());
    counting_listener a, b, c, d;
    for (counting_listener* each : {&a, &b, &c, &d}) it.add_listener(*each);
    b.then = [&] {
        it.remove_listener(a);
        it.remove_listener(b);
        it.remove_listener(d);
    };
    it.wake();
    BOOST_TEST(a.calls == 1);
    BOOST_TEST(b.calls == 1);
    BOOST_TEST(c.calls == 1);  // not skipped
    BOOST_TEST(d.calls == 0);
    it.wake();
    BOOST_TEST(a.calls == 1);
    BOOST_TEST(b.calls == 1);
    BOOST_TEST(c.calls == 2);
    it.remove_listener(c);
}

BOOST_FIXTURE_TEST_CASE(removing_waits_for_a_call_under_way, fixture) {
    engine it(orders, machine, with, threaded());
    std::mutex mutex;
    std::condition_variable changed;
    bool inside = false, go_on = false;
    std::atomic<bool> returned{false};
    auto listener = std::make_unique<counting_listener>();
    listener->then = [&] {
        std::unique_lock lock(mutex);
        inside = true;
        changed.notify_all();
        changed.wait(lock, [&] { return go_on; });
        returned = true;
    };
    it.add_listener(*listener);
    ask(it, create("A"));
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return inside; });
    }
    std::jthread helper([&] {
        const std::lock_guard lock(mutex);
        go_on = true;
        changed.notify_all();
    });
    it.remove_listener(*listener);
    BOOST_TEST(returned);
    listener.reset();
    BOOST_TEST(!asked[0].wait().ec);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(threads)

void execute_from_many(engine& it, scripted_storage& orders) {
    constexpr int callers = 8, each = 40;
    std::atomic<int> good{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < callers; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < each; ++i) {
                    const std::string id = std::to_string(t) + "-" + std::to_string(i);
                    if (!it.execute(create(id)).ec && !it.execute(raise(id, "cancel")).ec) ++good;
                }
            });
        }
    }
    BOOST_TEST(good == callers * each);
    BOOST_TEST(orders.orders().size() == std::size_t{callers * each});
}

BOOST_FIXTURE_TEST_CASE(execute_says_why_a_command_is_refused, fixture) {
    engine it(orders, machine, with, threaded());
    command bad = create("A");
    std::get<submit_order>(bad.what).value.item_ids.clear();
    const change_outcome refused = it.execute(std::move(bad));
    BOOST_TEST(refused.ec == errc::invalid_argument);
    BOOST_TEST(refused.detail == "item_ids must have 1 to 1000 entries");
    BOOST_TEST(!refused.after.has_value());
    BOOST_TEST(it.execute(create("A")).detail.empty());
    const change_outcome taken = it.execute(create("A"));  // refused by the storage
    BOOST_TEST(taken.ec == errc::already_exists);
    BOOST_TEST(taken.detail == "the order id \"A\" is taken");
}

BOOST_FIXTURE_TEST_CASE(a_change_of_a_host_is_checked, fixture) {
    engine it(orders, machine, with, by_hand());
    change bad = lower(create("A"), machine, with).value();
    std::get<create_order>(bad.action).value.metadata = "{";
    recorder outcome;
    BOOST_TEST(it.submit(bad, outcome).error().code == errc::invalid_argument);
    bad = lower(create("A"), machine, with).value();
    bad.order = "B";
    BOOST_TEST(it.submit(bad, outcome).error().detail ==
               "create_order: the id is not the change's order");
    BOOST_TEST(it.queued() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_plain_function_is_told, fixture) {
    engine it(orders, machine, with, by_hand());
    int told = 0;
    const auto done = [&](change_outcome& outcome) {
        ++told;
        BOOST_TEST(!outcome.ec);
        BOOST_TEST(outcome.after.value().id.view() == "A");
    };
    it.submit(create("A"), done).value();
    BOOST_TEST(told == 0);
    it.run_once().value();
    BOOST_TEST(told == 1);
    it.stop();
    BOOST_TEST(it.submit(create("B"), done).error().code == errc::stopped);
    BOOST_TEST(told == 1);
}

BOOST_FIXTURE_TEST_CASE(options_out_of_range_are_refused, fixture) {
    for (const auto& change : std::vector<std::function<void(engine_options&)>>{
             [](engine_options& to) { to.queue_max = 0; },
             [](engine_options& to) { to.batch_max = 0; },
             [](engine_options& to) { to.batch_max = 65'537; },
             [](engine_options& to) { to.threads = 1 + 1'000; },
             [](engine_options& to) { to.keys_kept = std::chrono::milliseconds(-1); }}) {
        engine_options wrong;
        change(wrong);
        BOOST_CHECK_THROW(engine(orders, machine, with, wrong), std::invalid_argument);
    }
}

BOOST_FIXTURE_TEST_CASE(execute_with_a_thread, fixture) {
    engine it(orders, machine, with, threaded());
    execute_from_many(it, orders);
}

BOOST_FIXTURE_TEST_CASE(execute_without_one, fixture) {
    engine it(orders, machine, with, by_hand());
    execute_from_many(it, orders);
    BOOST_TEST(orders.connects() == 1U);
}

BOOST_AUTO_TEST_CASE(execute_with_three) {
    fixture with_three(3);
    engine it(with_three.orders, with_three.machine, with_three.with, threaded(3));
    execute_from_many(it, with_three.orders);
}

// Two writers: what is on an order or key that the other one has under way waits for it.
BOOST_AUTO_TEST_CASE(writers_do_not_overtake_each_other) {
    fixture two(2);
    two.orders.hold("A");
    engine it(two.orders, two.machine, two.with, threaded(2));
    two.ask(it, with_key(create("A"), 1));
    two.orders.wait_for_held();
    two.ask(it, raise("A", "cancel"));
    two.ask(it, with_key(create("A2"), 1));
    recorder& other = two.ask(it, create("B"));
    BOOST_TEST(!other.wait().ec);  // goes past
    BOOST_TEST(it.queued() == 2U);
    two.orders.let_go();
    BOOST_TEST(!two.asked[0].wait().ec);
    BOOST_TEST(!two.asked[1].wait().ec);
    BOOST_TEST(two.asked[2].wait().replayed);
}

BOOST_AUTO_TEST_CASE(two_writers_drain_and_end) {
    fixture two(2);
    two.orders.hold("A");
    {
        engine it(two.orders, two.machine, two.with, threaded(2));
        two.ask(it, create("A"));
        two.orders.wait_for_held();
        two.ask(it, raise("A", "cancel"));
        it.stop();
        two.orders.let_go();
    }
    for (recorder& done : two.asked) BOOST_TEST(!done.ec());
}

// Everything at once, for the sanitizers: nothing is lost, nothing is done twice.
BOOST_AUTO_TEST_CASE(storm) {
    fixture two(2);
    engine it(two.orders, two.machine, two.with, threaded(2));
    two.orders.next_writes(
        {fault::unknown_unwritten, fault::unknown_written, fault::none, fault::unknown_written});
    std::atomic<int> done{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                counting_listener listener;
                for (int i = 0; i < 30; ++i) {
                    it.add_listener(listener);
                    const command what =
                        with_key(create("S" + std::to_string(i)), static_cast<unsigned char>(i));
                    if (!it.execute(what).ec) ++done;
                    it.wake();
                    it.remove_listener(listener);
                }
            });
        }
    }
    BOOST_TEST(done == 120);
    BOOST_TEST(two.orders.orders().size() == 30U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(observation)

BOOST_FIXTURE_TEST_CASE(the_observer_is_told, fixture) {
    engine it(orders, machine, with, by_hand());
    ask(it, create("A"));
    ask(it, create("B"));
    ask(it, raise("nobody", "cancel"));
    claim_recorder claimed;
    BOOST_REQUIRE(it.submit(work(1), claimed));
    BOOST_REQUIRE(it.run_once());
    command erase;
    erase.what = erase_order{"B"};
    BOOST_TEST(!it.execute(erase).ec);
    BOOST_TEST((watch.transitions == names{"A create", "B create", "B delete"}));
    BOOST_TEST((watch.claimed == std::vector<std::vector<std::size_t>>{{1, 0, 0}}));
    BOOST_REQUIRE(watch.batches.size() == 2U);
    BOOST_TEST(watch.batches[0].changes == 3U);
    BOOST_TEST(watch.batches[0].claims == 1U);
    BOOST_TEST(!watch.batches[0].ec);
    BOOST_TEST(watch.batches[1].changes == 1U);
    BOOST_TEST(watch.batches[1].claims == 0U);

    orders.next_writes({fault::unknown_written});
    orders.fail_asks(3);
    BOOST_TEST(it.execute(create("C")).ec == errc::outcome_unknown);
    BOOST_REQUIRE(watch.batches.size() == 3U);  // once, when it is known
    BOOST_TEST(watch.batches[2].ec == errc::outcome_unknown);
    BOOST_TEST(watch.transitions.size() == 3U);
    BOOST_TEST(watch.errors.size() == 4U);
    BOOST_TEST(watch.errors.front() == "engine.write: as told (fault_storage)");
    BOOST_TEST(watch.errors.back() == "engine.resolve: as told (fault_storage)");
}

BOOST_FIXTURE_TEST_CASE(it_tells_of_a_clock_that_is_wrong, fixture) {
    engine it(orders, machine, with, by_hand());
    const auto write = [&](const char* id) {
        ask(it, create(id));
        BOOST_REQUIRE(it.run_once());
    };
    write("A");
    time.advance(std::chrono::hours(72));  // nobody wrote for three days
    write("B");
    time.step(std::chrono::hours(24));
    write("C");
    time.step(-std::chrono::hours(24));
    write("D");
    BOOST_TEST(watch.errors.empty());
    time.step(std::chrono::hours(24 * 365));
    write("E");
    write("F");
    BOOST_TEST_REQUIRE(watch.errors.size() == 1U);
    BOOST_TEST(watch.errors[0] ==
               "clock: the clock stepped from 2026-06-18T00:00:00.000Z to "
               "2027-06-18T00:00:00.000Z");
    // Another process finds it so.
    time.step(-std::chrono::hours(24 * 365));
    watch.errors.clear();
    engine other(orders, machine, with, by_hand());
    for (const char* id : {"G", "H"}) {
        ask(other, create(id));
        BOOST_REQUIRE(other.run_once());
    }
    BOOST_TEST_REQUIRE(watch.errors.size() == 1U);
    BOOST_TEST(watch.errors[0].find("clock: the clock says 2026-06-18T00:00:00.000Z, but the "
                                    "newest journal entry is of 2027-06-18T00:00:00.000Z") == 0U);
}

BOOST_FIXTURE_TEST_CASE(it_knows_what_it_was_made_with, fixture) {
    const engine it(orders, machine, with, by_hand());
    BOOST_TEST(&it.machine() == &machine);
    BOOST_TEST(&it.runtime().time == &time);
}

BOOST_AUTO_TEST_SUITE_END()
