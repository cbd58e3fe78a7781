// Leases, back-offs and queued orders whose times are of another clock.

#include "claim_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

using namespace claim_fixture;

namespace {

// By a worker that knows how long leases and back-offs are.
claim by_clock(std::size_t limit) {
    claim out = by_worker(limit);
    out.lease = 30s;
    out.backoff_max = 10min;
    return out;
}

stored_order backing_off(timestamp until, std::chrono::milliseconds span = 2s) {
    stored_order it = waiting();
    it.value.next_attempt_at = until;
    it.due_at = until;
    it.span = span;
    return it;
}

stored_order leased_until(timestamp until, std::chrono::milliseconds span = 30s) {
    stored_order it = expired();
    it.due_at = until;
    it.span = span;
    return it;
}

doubtful_lease seen(const stored_order& it) {
    return {std::string(it.value.id.view()), it.lease, *it.due_at, it.span};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_back_off_beyond_the_longest_is_over) {
    const claim what = by_clock(1);
    const auto handed_out = [&](const stored_order& it) {
        return claim_selection(what, now).offer(it).has_value();
    };
    BOOST_TEST(handed_out(backing_off(now + 10min + 1ms)));
    BOOST_TEST(!handed_out(backing_off(now + 10min)));
    BOOST_TEST(!handed_out(backing_off(now + 24h, 0ms)));  // somebody asked for that
    stored_order untried = backing_off(now + 24h);
    untried.value.attempts = 0;
    BOOST_TEST(!handed_out(untried));
    BOOST_TEST(!handed_out(backing_off(now + 1h, 1h)));  // another worker's policy is longer
    BOOST_TEST(handed_out(backing_off(now + 1h + 1ms, 1h)));
}

BOOST_AUTO_TEST_CASE(claims_and_lapses_say_how_long_they_are) {
    const claim what = by_clock(2);
    claim_selection selection(what, now);
    BOOST_TEST((selection.offer(waiting())->after.span == 30s));
    BOOST_TEST((selection.offer(expired(2))->after.span == 4s));
    stored_order exhausted = expired();
    exhausted.span = 30s;
    exhausted.value.attempts = 5;
    BOOST_TEST((claim_selection(what, now).offer(exhausted)->after.span == 0s));
}

BOOST_AUTO_TEST_CASE(a_lease_longer_than_a_lease_is_doubted) {
    claim what = by_clock(1);
    const auto doubted = [&](const stored_order& it) {
        claim_selection selection(what, now);
        claim_outcome out;
        BOOST_TEST(!selection.survey(it, out));
        BOOST_TEST(!selection.offer(it).has_value());
        return out.doubtful;
    };
    const stored_order far = leased_until(now + 30s + 1ms);
    BOOST_TEST((doubted(far) == std::vector{seen(far)}));
    BOOST_TEST(doubted(leased_until(now + 30s)).empty());
    // A worker with longer leases, on a clock like ours.
    BOOST_TEST(doubted(leased_until(now + 10min, 10min)).empty());
    const stored_order longer = leased_until(now + 10min + 1ms, 10min);
    BOOST_TEST_REQUIRE(doubted(longer).size() == 1U);
    BOOST_TEST((doubted(longer)[0].length == 10min));
    // Of unknown length, from before lengths were stored: as long as ours.
    BOOST_TEST_REQUIRE(doubted(leased_until(now + 31s, 0s)).size() == 1U);
    BOOST_TEST((doubted(leased_until(now + 31s, 0s))[0].length == 30s));
    BOOST_TEST(doubted(backing_off(now + 24h, 0s)).empty());
    what.lease = 0s;
    BOOST_TEST(doubted(far).empty());
}

BOOST_AUTO_TEST_CASE(only_the_very_lease_that_was_seen_is_taken_back) {
    const stored_order it = leased_until(now + 1h);
    claim what = by_clock(1);
    const auto taken_back = [&](const doubtful_lease& named) {
        what.expired = {named};
        const auto verdict = claim_selection(what, now).offer(it);
        return verdict && verdict->event == "release";
    };
    BOOST_TEST(taken_back(seen(it)));
    doubtful_lease other = seen(it);
    other.order = "A-2";
    BOOST_TEST(!taken_back(other));
    other = seen(it);
    other.token = lease_token{3};  // claimed again since
    BOOST_TEST(!taken_back(other));
    other = seen(it);
    other.ends_at -= 1ms;  // renewed since
    BOOST_TEST(!taken_back(other));
}

BOOST_AUTO_TEST_CASE(what_was_put_off_comes_before_what_is_due) {
    claim what = by_clock(10);
    const auto numbered = [](stored_order it, std::int64_t number) {
        it.value.number = number;
        it.value.id = order_id::parse("A-" + std::to_string(number)).value();
        return it;
    };
    const stored_order over = numbered(leased_until(now + 1h), 3);
    what.expired = {seen(over)};
    std::vector<stored_order> some{numbered(waiting(), 1), numbered(leased_until(now + 1h), 2),
                                   over, numbered(backing_off(now + 24h), 4)};
    claim_selection(what, now).arrange(some);
    std::vector<std::int64_t> numbers;
    for (const stored_order& it : some) numbers.push_back(it.value.number);
    BOOST_TEST(numbers == (std::vector<std::int64_t>{3, 4, 1}));
}

BOOST_AUTO_TEST_CASE(a_probe_goes_page_by_page_and_begins_again) {
    claim what = by_clock(10);
    BOOST_TEST(claim_selection(what, now).ranges().empty());
    what.probe.limit = 2;
    claim_selection first(what, now);
    auto ranges = first.ranges();
    BOOST_TEST_REQUIRE(ranges.size() == 2U);
    BOOST_TEST((ranges[0].status == stage.waiting));
    BOOST_TEST((ranges[0].after.due_at == now + 10min));
    BOOST_TEST((ranges[1].status == stage.active));
    BOOST_TEST((ranges[1].after.due_at == now + 30s));
    BOOST_TEST(ranges[1].limit == 2U);
    claim_outcome out;
    stored_order it = leased_until(now + 1h);
    for (it.value.number = 7; it.value.number < 9; ++it.value.number) first.survey(it, out);
    first.survey(backing_off(now + 24h, 0ms), out);
    first.finish(std::nullopt, 0, out);
    BOOST_TEST(out.next_probe.limit == 2U);
    BOOST_TEST((out.next_probe.active == due_position{now + 1h, 8}));
    BOOST_TEST((out.next_probe.waiting == due_position{}));  // came to its end
    what.probe = out.next_probe;
    claim_selection second(what, now);
    ranges = second.ranges();
    BOOST_TEST((ranges[1].after == due_position{now + 1h, 8}));
    claim_outcome end;
    second.finish(std::nullopt, 0, end);
    BOOST_TEST((end.next_probe.active == due_position{}));
    what.only = {"A"};
    BOOST_TEST(claim_selection(what, now).ranges().empty());
}

// Between now and the latest stamp orders may wait that were queued without a delay.
BOOST_AUTO_TEST_CASE(after_a_step_back_the_probe_begins_at_now) {
    claim what = by_clock(1);
    what.probe.limit = 2;
    const write_time back(now, now + 1h);
    BOOST_TEST((claim_selection(what, back).ranges()[0].after.due_at == now));
    stored_order queued = waiting();
    queued.value.next_attempt_at.reset();
    queued.due_at = now + 1h;
    claim_selection selection(what, back);
    claim_outcome out;
    BOOST_TEST(selection.survey(queued, out));
    BOOST_TEST(selection.offer(queued).has_value());
    selection.finish(now + 1h, 1, out);
    BOOST_TEST(out.more);  // it stopped at its limit, and more may be due
    claim_outcome rested;
    claim_selection(what, back).finish(now + 1h, 0, rested);
    BOOST_TEST(!rested.more);
}
