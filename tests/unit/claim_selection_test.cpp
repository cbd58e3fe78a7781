#include "claim_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;
using namespace claim_fixture;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(a_due_order_is_handed_out) {
    const claim what = by_worker(1);
    claim_selection selection(what, now);
    const auto out = selection.offer(waiting(1));
    BOOST_TEST_REQUIRE(out.has_value());
    stored_order expected = waiting(1);
    expected.value.version = order_version{5};
    expected.value.updated_at = now;
    expected.value.status = stage.active;
    expected.value.attempts = 3;
    expected.value.next_attempt_at.reset();
    expected.value.first_claimed_at = now;
    expected.lease = lease_token{3};
    expected.leased = true;
    expected.due_at = now + 30s;
    expected.worker_id = "w2";
    BOOST_TEST((out->after == expected));
    BOOST_TEST(out->journaled);
    BOOST_TEST(!out->removed);
    BOOST_TEST(!out->completed);
    BOOST_TEST(out->event == "start");
    BOOST_TEST((out->from == stage.waiting));
    BOOST_TEST(out->actor == "w2");
    BOOST_TEST(out->reason.empty());

    claim_outcome outcome;
    selection.take(*out, outcome);
    BOOST_TEST_REQUIRE(outcome.orders.size() == 1U);
    BOOST_TEST((outcome.orders[0].value == expected.value));
    BOOST_TEST((outcome.orders[0].lease == lease_token{3}));
    BOOST_TEST(!outcome.orders[0].isolated);
    BOOST_TEST(outcome.orders[0].traceparent == "00-trace");
    BOOST_TEST(outcome.failed + outcome.released == 0U);
}

BOOST_AUTO_TEST_CASE(the_first_claim_is_remembered) {
    const claim what = by_worker(1);
    stored_order it = waiting();
    it.value.first_claimed_at = now - 1h;
    const auto out = claim_selection(what, now).offer(it);
    BOOST_TEST((out->after.value.first_claimed_at == now - 1h));
}

BOOST_AUTO_TEST_CASE(what_is_not_due_or_not_the_stages_is_left_alone) {
    const claim what = by_worker(1);
    claim_selection selection(what, now);
    stored_order it = waiting();
    it.due_at = now + 1ms;
    BOOST_TEST(!selection.offer(it));
    it.due_at.reset();
    BOOST_TEST(!selection.offer(it));
    it = waiting();
    it.value.status = "COMPLETED";
    BOOST_TEST(!selection.offer(it));
    it = expired();
    it.due_at = now + 1ms;
    BOOST_TEST(!selection.offer(it));
    it = expired();
    it.leased = false;  // no lease that could have expired
    BOOST_TEST(!selection.offer(it));
    it = waiting();
    it.due_at = now;
    BOOST_TEST(!selection.done());
    BOOST_TEST(selection.offer(it).has_value());
}

BOOST_AUTO_TEST_CASE(an_expired_lease_comes_back_with_back_off) {
    const claim what = by_worker(1);
    claim_selection selection(what, now);
    const auto out = selection.offer(expired());
    BOOST_TEST_REQUIRE(out.has_value());
    stored_order expected = expired();
    expected.value.version = order_version{5};
    expected.value.updated_at = now;
    expected.value.status = stage.waiting;
    expected.value.next_attempt_at = now + 1s;
    expected.value.last_error = "the lease of worker w1 expired on attempt 2 of 5";
    expected.leased = false;
    expected.due_at = now + 1s;
    expected.span = 1s;
    expected.worker_id.clear();
    expected.expired_leases = 1;
    BOOST_TEST((out->after == expected));  // the attempt stays counted
    BOOST_TEST(out->event == "release");
    BOOST_TEST((out->from == stage.active));
    BOOST_TEST(out->actor == "w2");
    BOOST_TEST(out->reason == expected.value.last_error);

    claim_outcome outcome;
    selection.take(*out, outcome);
    BOOST_TEST(outcome.orders.empty());
    BOOST_TEST(outcome.released == 1U);
    BOOST_TEST(outcome.failed == 0U);
}

struct back_off {
    std::uint32_t expired_leases;
    std::chrono::seconds pause;
};
std::ostream& operator<<(std::ostream& out, const back_off& it) {
    return out << it.expired_leases << " expired_leases";
}
constexpr std::array<back_off, 8> back_offs{
    {{0, 2s}, {1, 4s}, {2, 8s}, {8, 512s}, {9, 1024s}, {10, 2048s}, {11, 2048s}, {4000000, 2048s}}};

BOOST_DATA_TEST_CASE(back_off_doubles_up_to_a_cap, data::make(back_offs)) {
    claim what = by_worker(1);
    what.expiry_backoff = 2s;
    const auto out = claim_selection(what, now).offer(expired(sample.expired_leases));
    BOOST_TEST((out->after.due_at == now + sample.pause));
    BOOST_TEST((out->after.value.next_attempt_at == now + sample.pause));
    BOOST_TEST(out->after.expired_leases == sample.expired_leases + 1);
}

BOOST_AUTO_TEST_CASE(out_of_attempts_an_expired_lease_fails) {
    const claim what = by_worker(1);
    claim_selection selection(what, now);
    stored_order it = expired();
    it.value.attempts = 4;
    BOOST_TEST(claim_selection(what, now).offer(it)->event == "release");
    it.value.attempts = 5;
    const auto out = selection.offer(it);
    BOOST_TEST(out->event == "fail");
    BOOST_TEST((out->after.value.status == stage.failed));
    BOOST_TEST((out->after.value.settled_at == now));
    BOOST_TEST(!out->after.due_at.has_value());
    BOOST_TEST(!out->after.leased);
    BOOST_TEST(out->after.worker_id.empty());
    BOOST_TEST(out->after.value.attempts == 5U);
    BOOST_TEST(out->after.value.last_error == "the lease of worker w1 expired on attempt 5 of 5");
    claim_outcome outcome;
    selection.take(*out, outcome);
    BOOST_TEST(outcome.failed == 1U);
    BOOST_TEST(outcome.released == 0U);
    BOOST_TEST(outcome.orders.empty());
}

BOOST_AUTO_TEST_CASE(out_of_attempts_a_waiting_order_fails) {
    const claim what = by_worker(1);
    claim_selection selection(what, now);
    stored_order it = waiting(3);
    it.value.attempts = 5;
    const auto out = selection.offer(it);
    BOOST_TEST_REQUIRE(out.has_value());
    BOOST_TEST(out->event == "fail");
    BOOST_TEST((out->from == stage.waiting));
    BOOST_TEST((out->after.value.status == stage.failed));
    BOOST_TEST((out->after.value.settled_at == now));
    BOOST_TEST(!out->after.value.next_attempt_at.has_value());
    BOOST_TEST(!out->after.due_at.has_value());
    BOOST_TEST(out->after.expired_leases == 3U);
    BOOST_TEST((out->after.lease == lease_token{2}));
    BOOST_TEST(out->reason == "no attempt left: 5 of 5");
    it.value.attempts = 4;
    BOOST_TEST(claim_selection(what, now).offer(it)->event == "start");
}

BOOST_AUTO_TEST_CASE(the_limit_counts_all_that_it_touches) {
    stored_order exhausted = waiting();
    exhausted.value.attempts = 5;
    const claim what = by_worker(3);
    const auto out = run(what, {expired(), exhausted, waiting(), waiting()});
    BOOST_TEST(out.released == 1U);
    BOOST_TEST(out.failed == 1U);
    BOOST_TEST(out.orders.size() == 1U);

    const claim none = by_worker(0);
    BOOST_TEST(claim_selection(none, now).done());
    BOOST_TEST(run(none, {waiting()}).orders.empty());
}

BOOST_AUTO_TEST_CASE(the_limit_holds_for_adapters_that_store_all_at_once) {
    const claim what = by_worker(2);
    claim_selection selection(what, now);
    BOOST_TEST(selection.offer(waiting()).has_value());
    BOOST_TEST(!selection.offer(waiting(3)));  // a suspect: not beside the first
    BOOST_TEST(selection.done());
    claim_selection other(what, now);
    BOOST_TEST(other.offer(waiting()).has_value());
    BOOST_TEST(!other.done());
    BOOST_TEST(other.offer(waiting()).has_value());
    BOOST_TEST(other.done());
    BOOST_TEST(!other.offer(waiting()));
}

BOOST_AUTO_TEST_CASE(a_suspect_is_handed_out_alone) {
    const claim what = by_worker(10);
    auto out = run(what, {waiting(3), waiting()});
    BOOST_TEST_REQUIRE(out.orders.size() == 1U);
    BOOST_TEST(out.orders[0].isolated);
    out = run(what, {waiting(3), waiting(3)});
    BOOST_TEST(out.orders.size() == 1U);

    out = run(what, {waiting(), waiting(1), waiting(3), waiting()});
    BOOST_TEST_REQUIRE(out.orders.size() == 2U);
    BOOST_TEST(!out.orders[0].isolated);
    BOOST_TEST(!out.orders[1].isolated);

    out = run(what, {expired(), waiting(3), waiting()});
    BOOST_TEST(out.orders.size() == 1U);  // what is taken back is nobody's company
    BOOST_TEST(out.released == 1U);
}

BOOST_AUTO_TEST_CASE(after_two_lapses_orders_go_out_in_small_groups) {
    const claim what = by_worker(100);
    auto out = run(what, std::vector<stored_order>(50, waiting(2)));
    BOOST_TEST(out.orders.size() == 32U);
    for (const claimed_order& it : out.orders) BOOST_TEST(it.isolated);
    out = run(what, {waiting(2), waiting(2), waiting(3), waiting(2)});
    BOOST_TEST(out.orders.size() == 2U);
    out = run(what, {waiting(2), waiting(1)});
    BOOST_TEST(out.orders.size() == 1U);
    out = run(what, {waiting(3), waiting(2)});
    BOOST_TEST(out.orders.size() == 1U);
}

BOOST_AUTO_TEST_CASE(of_a_row_of_lapses_the_first_and_those_alone_are_paid_for) {
    const claim what = by_worker(1);
    for (const auto& [expired_leases, attempts] :
         std::vector<std::pair<std::uint32_t, std::uint32_t>>{
             {0, 2}, {1, 1}, {2, 1}, {3, 2}, {9, 2}}) {
        const auto out = claim_selection(what, now).offer(expired(expired_leases));
        BOOST_TEST(out->after.value.attempts == attempts, expired_leases << " expired_leases");
        BOOST_TEST(out->after.expired_leases == expired_leases + 1);
    }
    // The last attempt, given back, is there to be tried again.
    stored_order last = expired(1);
    last.value.attempts = 5;
    BOOST_TEST(claim_selection(what, now).offer(last)->event == "release");
    last = expired(3);
    last.value.attempts = 5;
    BOOST_TEST(claim_selection(what, now).offer(last)->event == "fail");
}

BOOST_AUTO_TEST_CASE(a_suspect_that_is_not_handed_out_stops_nothing) {
    const claim what = by_worker(10);
    stored_order exhausted = waiting(4);
    exhausted.value.attempts = 5;
    const auto out = run(what, {expired(4), exhausted, waiting()});
    BOOST_TEST(out.released == 1U);
    BOOST_TEST(out.failed == 1U);
    BOOST_TEST(out.orders.size() == 1U);
}

BOOST_AUTO_TEST_CASE(candidates_are_brought_into_order) {
    const claim what = by_worker(10);
    const claim_selection selection(what, now);
    const auto numbered = [](stored_order it, std::int64_t number, timestamp due_at) {
        it.value.number = number;
        it.due_at = due_at;
        return it;
    };
    stored_order failed = numbered(waiting(), 7, now - 9s);
    failed.value.status = stage.failed;
    stored_order resting = numbered(waiting(), 8, now);
    resting.due_at.reset();
    std::vector<stored_order> some{
        numbered(waiting(), 4, now - 1s),
        numbered(expired(), 3, now - 1s),
        numbered(waiting(), 5, now),
        numbered(waiting(), 6, now + 1ms),
        numbered(waiting(), 2, now - 2s),
        numbered(waiting(), 4, now - 1s),
        failed,
        resting,
    };
    selection.arrange(some);
    std::vector<std::int64_t> numbers;
    for (const stored_order& it : some) numbers.push_back(it.value.number);
    BOOST_TEST(numbers == (std::vector<std::int64_t>{2, 3, 4, 5}));
}

BOOST_AUTO_TEST_CASE(a_claim_says_when_to_come_again) {
    const auto finished = [](const claim& what, std::size_t candidates,
                             std::optional<timestamp> first_due) {
        claim_selection selection(what, now);
        claim_outcome out;
        for (std::size_t i = 0; i < candidates; ++i) {
            if (const auto verdict = selection.offer(waiting())) selection.take(*verdict, out);
        }
        selection.finish(first_due, candidates, out);
        return out;
    };
    claim_outcome out = finished(by_worker(2), 1, now + 5s);
    BOOST_TEST(!out.more);
    BOOST_TEST((out.next_due == now + 5s));
    out = finished(by_worker(2), 2, now);
    BOOST_TEST(out.more);
    BOOST_TEST(!out.next_due);
    out = finished(by_worker(2), 0, std::nullopt);
    BOOST_TEST(!out.more);
    BOOST_TEST(!out.next_due);
    claim named = by_worker(2);
    named.only = {"A", "B", "C"};
    BOOST_TEST(finished(named, 3, now + 5s).more);
    BOOST_TEST(!finished(named, 2, now).more);  // others are due, but were not asked for
}
