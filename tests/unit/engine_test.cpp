#include "scripted_storage.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;

namespace {

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
    void transition_committed(const order& after, std::string_view event) noexcept override {
        const std::lock_guard lock(mutex);
        transitions.push_back(std::string(after.id->view()) + " " + std::string(event));
    }
    void orders_claimed(std::size_t handed_out, std::size_t lapsed,
                        std::size_t exhausted) noexcept override {
        const std::lock_guard lock(mutex);
        claimed.push_back({handed_out, lapsed, exhausted});
    }
    void trouble(std::string_view where, const failure& what) noexcept override {
        const std::lock_guard lock(mutex);
        troubles.push_back(std::string(where) + ": " + what.detail);
    }
    std::mutex mutex;
    std::vector<batch_report> batches;
    names transitions;
    std::vector<std::vector<std::size_t>> claimed;
    names troubles;
};

engine_options by_hand(std::size_t batch_max = 512, std::size_t queue_max = 8192) {
    engine_options out;
    out.threads = 0;
    out.batch_max = batch_max;
    out.queue_max = queue_max;
    out.resolve_attempts = 3;
    return out;
}

engine_options threaded(std::size_t threads = 1) {
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
    claim work(std::size_t limit = 10) const {
        claim out;
        out.stage = &machine.stages()[0];
        out.worker_id = "w";
        out.expires_at = timestamp::max();
        out.limit = limit;
        return out;
    }
};

change renewal(std::string order, lease_token lease, timestamp until) {
    change out;
    out.order = std::move(order);
    out.event = "renew";
    out.action = renew_lease{until};
    out.lease = lease;
    return out;
}

}  // namespace

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
    BOOST_TEST((asked[2].wait().after->id->view() == "C"));
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
    BOOST_TEST((asked[1].wait().after->id->view() == "A"));
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

BOOST_FIXTURE_TEST_CASE(no_more_threads_than_writers, fixture) {
    engine it(orders, machine, with, threaded(8));
    for (int i = 0; i < 200; ++i) ask(it, create("N" + std::to_string(i)));
    for (recorder& done : asked) BOOST_TEST(!done.wait().ec);
    BOOST_TEST(orders.connects() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

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
    BOOST_TEST((claimed.got.orders[0].value.id->view() == "A"));
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
    orders.next_writes({fate::unavailable});
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

BOOST_AUTO_TEST_SUITE(failures)

BOOST_FIXTURE_TEST_CASE(unavailable_is_said_to_all_and_connected_to_anew, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fate::unavailable});
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
    BOOST_TEST((watch.troubles == names{"engine.write: as told"}));
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
    for (const fate how : {fate::lost_after, fate::mute_after}) {
        orders.next_writes({how});
        const std::string id = how == fate::lost_after ? "A" : "B";
        recorder& done = ask(it, create(id));
        BOOST_TEST(!it.run_once());
        BOOST_TEST(done.calls() == 0);  // kept until it is known
        const std::size_t writes = orders.batches().size();
        BOOST_TEST(it.run_once().value() == 1U);
        BOOST_TEST(!done.wait().ec);
        BOOST_REQUIRE(done.wait().after);
        BOOST_TEST((done.wait().after->id->view() == id));
        BOOST_TEST(orders.batches().size() == writes);  // asked, not written again
    }
    BOOST_TEST(listener.calls == 2);
    BOOST_TEST(orders.connects() == 3U);
    BOOST_TEST(orders.orders().size() == 2U);
    it.remove_listener(listener);
}

BOOST_FIXTURE_TEST_CASE(a_lost_answer_of_a_write_that_was_not_made, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fate::lost_before});
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
    orders.next_writes({fate::lost_after});
    orders.fail_asks(3);
    ask(it, create("A"));
    claim_recorder claimed;
    BOOST_REQUIRE(it.submit(work(), claimed));
    for (int i = 0; i < 3; ++i) {  // the write and two times asking
        BOOST_TEST(!it.run_once());
        BOOST_TEST(asked[0].calls() == 0);
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
    orders.next_writes({fate::lost_after});
    orders.fail_asks(2);
    BOOST_TEST(!it.execute(create("A")).ec);
    orders.next_writes({fate::lost_after});
    ask(it, create("B"));
    BOOST_TEST(!it.run_once());
    orders.fail_connects(2);
    BOOST_TEST(!it.run_once());
    BOOST_TEST(!it.run_once());
    BOOST_TEST(it.run_once().value() == 1U);
    BOOST_TEST(!asked[0].ec());
}

BOOST_FIXTURE_TEST_CASE(losing_every_write_comes_to_an_end, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes(
        {fate::lost_before, fate::lost_before, fate::lost_before, fate::lost_before});
    BOOST_TEST(it.execute(create("A")).ec == errc::outcome_unknown);
    BOOST_TEST(orders.asks() == 3U);
    BOOST_TEST(orders.batches().size() == 4U);
    BOOST_TEST(orders.orders().empty());
}

BOOST_FIXTURE_TEST_CASE(after_an_unknown_a_certain_failure_is_certain, fixture) {
    engine it(orders, machine, with, by_hand());
    orders.next_writes({fate::lost_before, fate::unavailable});
    BOOST_TEST(it.execute(create("A")).ec == errc::unavailable);
    BOOST_TEST(orders.orders().empty());
}

BOOST_FIXTURE_TEST_CASE(never_two_orders_out_of_an_unknown, fixture) {
    engine it(orders, machine, with, by_hand());
    std::set<std::int64_t> numbers;
    for (int round = 0; round < 4; ++round) {
        orders.next_writes({fate::lost_before, fate::lost_after});
        command what = create("X");
        std::get<submit_order>(what.what).value.id.reset();  // the storage could not tell
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
    orders.next_writes({fate::throws_before, fate::throws_after});
    BOOST_TEST(it.execute(create("A")).ec == errc::outcome_unknown);
    BOOST_TEST(it.execute(create("A")).ec == errc::outcome_unknown);
    BOOST_TEST(it.execute(create("A")).ec == errc::already_exists);
    BOOST_TEST(orders.asks() == 0U);  // the results were lost: asking could not help
    BOOST_TEST((watch.troubles ==
                names{"engine: as told", "engine: as told", "engine: unknown exception"}));
}

BOOST_FIXTURE_TEST_CASE(a_thread_outlives_all_of_it, fixture) {
    engine it(orders, machine, with, threaded());
    orders.throw_at_connect();
    BOOST_TEST(it.execute(create("A")).ec == errc::unavailable);
    orders.next_writes({fate::throws_before});
    BOOST_TEST(it.execute(create("A")).ec == errc::outcome_unknown);
    orders.next_writes({fate::lost_before, fate::lost_after});
    orders.fail_asks(1);
    BOOST_TEST(!it.execute(create("A")).ec);
    BOOST_TEST(orders.orders().size() == 1U);
}

// Ten minutes of pauses, if they were waited for.
BOOST_FIXTURE_TEST_CASE(stopping_cuts_the_pauses_short, fixture) {
    engine_options options = threaded();
    options.resolve_attempts = 600;
    {
        engine it(orders, machine, with, options);
        orders.next_writes({fate::lost_after});
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
        orders.next_writes({fate::lost_after});
        ask(it, create("A"));
        BOOST_TEST(!it.run_once());
    }
    BOOST_TEST(asked[0].calls() == 1);
    BOOST_TEST(!asked[0].ec());
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
    two.orders.next_writes({fate::lost_before, fate::lost_after, fate::applied, fate::lost_after});
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

    orders.next_writes({fate::lost_after});
    orders.fail_asks(3);
    BOOST_TEST(it.execute(create("C")).ec == errc::outcome_unknown);
    BOOST_REQUIRE(watch.batches.size() == 3U);  // once, when it is known
    BOOST_TEST(watch.batches[2].ec == errc::outcome_unknown);
    BOOST_TEST(watch.transitions.size() == 3U);
    BOOST_TEST(watch.troubles.size() == 4U);
    BOOST_TEST(watch.troubles.front() == "engine.write: as told");
    BOOST_TEST(watch.troubles.back() == "engine.resolve: as told");
}

BOOST_FIXTURE_TEST_CASE(it_knows_what_it_was_made_with, fixture) {
    const engine it(orders, machine, with, by_hand());
    BOOST_TEST(&it.machine() == &machine);
    BOOST_TEST(&it.with().time == &time);
}

BOOST_AUTO_TEST_SUITE_END()
