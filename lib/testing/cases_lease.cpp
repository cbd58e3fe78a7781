// Who may finish work: the fence, renewing, expired leases.

#include "testing/kit.hpp"

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

using strings = std::vector<std::string>;

// Claimed by worker a, whose lease expired, then by worker b.
struct taken_over {
    claimed_order before;
    claimed_order after;
};
taken_over take_over(bench& b, std::string_view id) {
    b.created(id);
    taken_over out;
    out.before = b.claimed(id, "a");
    b.advance(seconds(31));
    const auto expired = b.write(b.claim_of("b"));
    expect_equal("expired leases taken back", std::size_t{1}, expired.released);
    b.advance(seconds(10));
    out.after = b.claimed(id, "b");
    return out;
}

void holder_finishes(bench& b) {
    b.created("F-1");
    const claimed_order held = b.claimed("F-1", "a");
    b.advance(milliseconds(2500));
    const order finished = b.done(b.leave(held, "complete"));
    order expected = held.value;
    expected.status = "COMPLETED";
    expected.version = order_version{3};
    expected.updated_at = b.now();
    expected.settled_at = b.now();
    expect_same("the outcome of complete", expected, finished);
    expect_same("load()", expected, b.find("F-1"));
    const auto refused = b.write(b.leave(held, "complete"));
    expect_refused("a second finish", errc::lease_lost, refused);
    expect_same("the order that refused it", expected, refused.after);
}

void lost_lease_finishes_nothing(bench& b) {
    const auto [before, after] = take_over(b, "F-1");
    expect(after.lease > before.lease, "the lease token did not grow from " + show(before.lease) +
                                           ", it is " + show(after.lease));
    for (const char* event : {"complete", "fail", "release"}) {
        expect_refused(std::string(event) + " after the lease was taken over", errc::lease_lost,
                       b.write(b.leave(before, event)));
    }
    expect_refused("renewing after the lease was taken over", errc::lease_lost,
                   b.write(b.renew(before, b.now() + seconds(60))));
    expect_same("the order", after.value, b.find("F-1"));
    b.done(b.leave(after, "complete"));
}

void status_move_ends_the_lease(bench& b) {
    b.created("F-1");
    const claimed_order held = b.claimed("F-1", "a");
    const order moved = b.done(b.raise("F-1", "fail"));  // by the host, who needs no lease
    expect_refused("complete after a move", errc::lease_lost, b.write(b.leave(held, "complete")));
    expect_refused("renewing after a move", errc::lease_lost,
                   b.write(b.renew(held, b.now() + seconds(60))));
    expect_same("the order", moved, b.find("F-1"));
}

void released_lease_is_not_taken_up_again(bench& b) {
    b.created("F-1");
    const claimed_order held = b.claimed("F-1", "a");
    b.done(b.release(held, b.now()));
    expect_refused("complete after a release", errc::lease_lost,
                   b.write(b.leave(held, "complete")));
    const claimed_order next = b.claimed("F-1", "a");  // the same worker
    expect(next.lease > held.lease, "a second claim by the same worker has the same token");
    expect_refused("complete with the first claim's token", errc::lease_lost,
                   b.write(b.leave(held, "complete")));
    b.done(b.leave(next, "complete"));
}

void token_is_not_guessed(bench& b) {
    b.created("F-1");
    claimed_order held = b.claimed("F-1", "a");
    const auto token = static_cast<std::uint64_t>(held.lease);
    for (const std::uint64_t other : {std::uint64_t{0}, token - 1, token + 1}) {
        held.lease = lease_token{other};
        expect_refused("complete with token " + std::to_string(other), errc::lease_lost,
                       b.write(b.leave(held, "complete")));
    }
}

void expired_lease_may_still_finish(bench& b) {
    b.created("F-1");
    const claimed_order held = b.claimed("F-1", "a");
    b.advance(seconds(3600));
    expect_equal("status", order_status("COMPLETED"), b.done(b.leave(held, "complete")).status);
}

void renewing_makes_no_entry(bench& b) {
    b.created("F-1");
    const claimed_order held = b.claimed("F-1", "a");
    const feed_position newest = b.newest();
    b.advance(seconds(20));
    expect_same("the outcome of renew", held.value, b.done(b.renew(held, b.now() + seconds(30))));
    expect_same("load()", held.value, b.find("F-1"));
    expect_equal("the newest entry", newest, b.newest());
    b.advance(seconds(20));  // the first lease would have expired
    const auto none = b.write(b.claim_of("b"));
    expect_equal("leases taken back although renewed", std::size_t{0}, none.released);
    expect_equal("when a renewed lease expires", std::optional(b.now() + seconds(10)),
                 none.next_due);
    b.advance(seconds(10));
    expect_equal("leases taken back when the renewed one expired", std::size_t{1},
                 b.write(b.claim_of("b")).released);
}

void expired_lease_may_be_renewed(bench& b) {
    b.created("F-1");
    const claimed_order held = b.claimed("F-1", "a");
    b.advance(seconds(100));
    b.done(b.renew(held, b.now() + seconds(30)));
    expect_equal("leases taken back", std::size_t{0}, b.write(b.claim_of("b")).released);
    b.done(b.leave(held, "complete"));
}

// One that looks for what a clock that was ahead has put off, at most so many at a time.
claim probing(bench& b, std::size_t limit, due_probe from = {}) {
    claim out = b.claim_of("b");
    out.lease = seconds(30);
    out.backoff_max = seconds(3600);
    out.probe = from;
    out.probe.limit = limit;
    return out;
}

// What a probe comes by, from its beginning to its end.
std::vector<doubtful_lease> all_doubtful(bench& b, std::size_t limit) {
    std::vector<doubtful_lease> out;
    due_probe from;
    for (int i = 0; i < 100; ++i) {
        const claim_outcome page = b.write(probing(b, limit, from));
        expect(page.doubtful.size() <= limit, "a probe looks at more than its limit");
        out.insert(out.end(), page.doubtful.begin(), page.doubtful.end());
        from = page.next_probe;
        if (from.waiting == due_position{} && from.active == due_position{}) return out;
    }
    fail("a probe never comes to its end");
}

std::vector<std::string> ids_of(const std::vector<doubtful_lease>& leases) {
    std::vector<std::string> out;
    for (const doubtful_lease& it : leases) out.push_back(it.order);
    return out;
}

constexpr seconds a_year = std::chrono::hours(24 * 365);

void lease_of_a_clock_ahead_is_found(bench& b) {
    b.advance(a_year);
    for (const char* id : {"F-1", "F-2", "F-3", "F-4", "F-5"}) b.created(id);
    claim far = probing(b, 0);
    far.limit = 4;
    b.write(far);
    const claimed_order last = b.claimed("F-5", "a");
    b.advance(-a_year);
    b.created("F-0");
    b.claimed("F-0", "a");  // until 30 s from now: nothing to doubt
    expect(b.write(b.claim_of("b")).doubtful.empty(), "a claim without a probe doubts leases");
    for (const std::size_t limit : {100U, 2U, 1U}) {
        const auto found = all_doubtful(b, limit);
        expect_equal("leases that end in a year", strings{"F-1", "F-2", "F-3", "F-4", "F-5"},
                     ids_of(found));
        expect_equal("the token", last.lease, found.back().token);
        expect_equal("its end", b.now() + a_year + seconds(30), found.back().ends_at);
        expect_equal("its length", milliseconds(30'000), found.back().length);
    }
}

void lease_of_a_clock_ahead_ends_when_named(bench& b) {
    b.advance(a_year);
    b.created("F-1");
    b.created("F-2");
    const claimed_order first = b.claimed("F-1", "a");
    const claimed_order second = b.claimed("F-2", "a");
    b.advance(-a_year);
    const auto seen = b.write(probing(b, 100)).doubtful;
    expect_equal("leases that end in a year", strings{"F-1", "F-2"}, ids_of(seen));
    b.done(b.renew(second, b.now() + a_year));  // still ahead, but its owner is alive
    b.created("F-3");
    claim what = probing(b, 0);
    what.expired = seen;
    what.limit = 2;
    const claim_outcome out = b.write(what);
    expect_equal("leases taken back", std::size_t{1}, out.released);
    expect_equal("handed out beside them", strings{"F-3"}, kit::ids_of(out.orders));
    const order back = b.found("F-1");
    expect_equal("status", order_status("PENDING"), back.status);
    expect_equal("next_attempt_at", std::optional(b.now() + seconds(1)), back.next_attempt_at);
    expect_refused("finishing what was taken back", errc::lease_lost,
                   b.write(b.leave(first, "complete")));
    b.done(b.leave(second, "complete"));
    what.expired.front().order = "never";
    expect_equal("leases of orders that are not there", std::size_t{0}, b.write(what).released);
}

void handed_over_lease_waits_for_an_answer(bench& b) {
    take_over(b, "F-1");
    b.created("F-2");
    const claimed_order answered = b.claimed("F-2", "a");
    b.advance(seconds(60));
    b.write(b.claim_of("c"));  // takes both back
    b.advance(seconds(60));
    const claimed_order silent = b.claimed("F-1", "c");
    const claimed_order other = b.claimed("F-2", "c");
    const feed_position newest = b.newest();
    constexpr seconds length = std::chrono::hours(3);
    for (const claimed_order& it : {silent, other}) {
        change over = b.renew(it, b.now() + length);
        std::get<renew_lease>(over.action).handed_over = length;
        expect_same("the outcome of a hand-over", it.value, b.done(over));
    }
    expect_equal("the newest entry", newest, b.newest());
    // It is as long as it was made, and so nothing to doubt.
    expect_equal("leases to doubt", strings{}, ids_of(all_doubtful(b, 100)));
    b.advance(length - seconds(1));
    const auto none = b.write(b.claim_of("d"));
    expect_equal("leases taken back too early", std::size_t{0}, none.released);
    expect_equal("when it ends", std::optional(b.now() + seconds(1)), none.next_due);
    expect_refused("the answer with an older token", errc::lease_lost,
                   b.write(b.leave(answered, "complete")));
    expect_equal("status", order_status("COMPLETED"), b.done(b.leave(other, "complete")).status);
    expect_refused("a second answer", errc::lease_lost, b.write(b.leave(other, "fail")));
    b.advance(seconds(1));
    const auto back = b.write(b.claim_of("d"));
    expect_equal("leases taken back", std::size_t{1}, back.released);
    expect(back.reclaimed.at(0).reason.starts_with("nobody answered in time"),
           "the reason is " + show(back.reclaimed.at(0).reason));
    // The expired leases of before were forgotten: this one is the first, which counts.
    expect_equal("attempts", silent.value.attempts, b.found("F-1").attempts);
    expect_refused("an answer that comes too late", errc::lease_lost,
                   b.write(b.leave(silent, "complete")));
}

void refused_finish_changes_nothing_beside_it(bench& b) {
    const auto [before, after] = take_over(b, "F-1");
    b.created("F-2");
    const claimed_order other = b.claimed("F-2", "a");
    const auto outcomes =
        b.write({b.leave(before, "complete"), b.leave(other, "complete"), b.create("F-3")});
    expect_refused("the finish of a lost lease", errc::lease_lost, outcomes[0]);
    expect_ok("the finish beside it", outcomes[1]);
    expect_ok("the create beside it", outcomes[2]);
    expect_same("the order", after.value, b.find("F-1"));
}

void statistics_count_work_that_was_done(bench& b) {
    for (const char* id : {"S-1", "S-2", "S-3", "S-4"}) b.created(id);
    const claimed_order first = b.claimed("S-1");
    b.advance(milliseconds(1500));
    b.done(b.leave(first, "complete"));
    const claimed_order second = b.claimed("S-2");
    b.advance(milliseconds(500));
    b.done(b.release(second, b.now()));
    b.advance(milliseconds(1000));
    b.done(b.leave(b.claimed("S-2"), "complete"));  // from its first claim on
    b.done(b.leave(b.claimed("S-3"), "fail"));
    b.done(b.raise("S-4", "cancel"));
    b.done(b.erase("S-1"));
    const statistics found = b.count();
    expect_equal("orders completed, ever", std::uint64_t{2}, found.completed);
    expect_equal("their processing time", milliseconds(3000), found.processing_time);
    for (const auto& [status, size, due] : found.orders) {
        const bool gone = status == order_status("PENDING") || status == order_status("PROCESSING");
        expect_equal("orders in " + show(status), std::uint64_t{gone ? 0U : 1U}, size);
    }
}

constexpr entry entries[] = {
    {"the_holder_of_a_lease_finishes", "Who holds the lease finishes, once.", holder_finishes},
    {"a_lost_lease_finishes_nothing", "A lease that was taken over finishes and renews nothing.",
     lost_lease_finishes_nothing},
    {"a_status_move_ends_the_lease", "Any status move ends the lease.", status_move_ends_the_lease},
    {"a_released_lease_is_not_taken_up_again", "The fence grows with every claim of an order.",
     released_lease_is_not_taken_up_again},
    {"a_token_is_not_guessed", "Only the very token of the latest claim opens the fence.",
     token_is_not_guessed},
    {"an_expired_lease_may_still_finish", "The fence is the token, not the clock.",
     expired_lease_may_still_finish},
    {"renewing_makes_no_entry", "Renewing moves the lease's end: no version, no entry.",
     renewing_makes_no_entry},
    {"an_expired_lease_may_be_renewed", "A lease that nobody took over may be renewed.",
     expired_lease_may_be_renewed},
    {"a_handed_over_lease_waits_for_an_answer",
     "A lease that was handed over ends at its own time, is no sign of a crash and nothing to "
     "doubt.",
     handed_over_lease_waits_for_an_answer},
    {"a_lease_of_a_clock_ahead_is_found",
     "A probe finds every lease that ends later than its length from now.",
     lease_of_a_clock_ahead_is_found},
    {"a_lease_of_a_clock_ahead_ends_when_named",
     "A lease that a claim names as expired ends, unless it has changed since.",
     lease_of_a_clock_ahead_ends_when_named},
    {"a_refused_finish_changes_nothing_beside_it", "A lost lease does not touch its batch.",
     refused_finish_changes_nothing_beside_it},
    {"statistics_count_work_that_was_done",
     "Statistics count completed orders and the time since their first claim, for ever.",
     statistics_count_work_that_was_done},
};

}  // namespace

std::vector<storage_case> lease_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
