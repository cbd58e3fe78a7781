// Claims: what is due, in which order, how much of it.

#include "testing/kit.hpp"

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

using strings = std::vector<std::string>;

void expect_claimed(std::string_view what, const strings& expected, const claim_outcome& found) {
    expect_equal(what, expected, ids_of(found.orders));
}

// Its lease expires and is taken back as many times in a row.
void let_expire(bench& b, std::string_view id, int times) {
    for (int i = 0; i < times; ++i) {
        claim what = b.claim_of("dies");
        what.only.emplace_back(id);
        expect_claimed("a claim that will expire", {std::string(id)}, b.write(what));
        b.advance(seconds(30));
        what = b.claim_of("finds");
        what.only.emplace_back(id);
        expect_equal("expired leases taken back", std::size_t{1}, b.write(what).released);
        b.advance(seconds(60));
    }
}

void due_orders_are_handed_out(bench& b) {
    b.created("A");
    b.advance(seconds(1));
    b.created("B");
    const order expected = b.found("A");
    b.advance(seconds(1));
    const claim_outcome out = b.write(b.claim_of("w-1"));
    expect_claimed("claimed, the longest due first", {"A", "B"}, out);
    expect(!out.more, "a claim that took everything says that there is more");
    expect_equal("next_due", std::optional(b.now() + seconds(30)), out.next_due);
    order after = expected;
    after.status = "PROCESSING";
    after.version = order_version{2};
    after.attempts = 1;
    after.updated_at = b.now();
    after.first_claimed_at = b.now();
    const claimed_order& held = out.orders.front();
    expect_same("the claimed order", after, held.value);
    expect(!held.isolated, "an order whose lease never expired is to be started apart");
    expect_equal("its traceparent", b.history("A").front().traceparent, held.traceparent);
    expect(held.lease != lease_token{0}, "a claim without a token");
    expect_same("load()", after, b.find("A"));
    const journal_entry start = b.history("A").back();
    expect_equal("the entry's event", std::string("start"), start.event);
    expect_equal("the entry's actor", std::string("w-1"), start.actor);
    expect_equal("the entry's from", std::optional(order_status("PENDING")), start.from);
    expect_equal("the entry's traceparent", held.traceparent, start.traceparent);
    expect_same("the entry", after, start.after);
    expect_claimed("claimed again", {}, b.write(b.claim_of("w-2")));
}

void nothing_to_claim_is_a_success(bench& b) {
    const claim_outcome none = b.write(b.claim_of("w"));
    expect_claimed("claimed of nothing", {}, none);
    expect(!none.more && !none.next_due, "there is something to claim where there is nothing");
    b.created("A");
    b.done(b.raise("A", "cancel"));
    expect(!b.write(b.claim_of("w")).next_due, "a cancelled order is due some time");
}

void nothing_is_claimed_before_it_is_due(bench& b) {
    b.created("A");
    const timestamp due = b.now() + seconds(10);
    b.done(b.release(b.claimed("A"), due));
    b.advance(milliseconds(9999));
    const claim_outcome early = b.write(b.claim_of("w"));
    expect_claimed("claimed a millisecond early", {}, early);
    expect_equal("next_due", std::optional(due), early.next_due);
    expect(!early.more, "an order that is not due is called due");
    claim named = b.claim_of("w");
    named.only = {"A"};
    expect_claimed("claimed by name a millisecond early", {}, b.write(named));
    b.advance(milliseconds(1));
    expect_claimed("claimed when due", {"A"}, b.write(b.claim_of("w")));
}

void due_orders_come_in_order(bench& b) {
    for (const char* id : {"A", "B", "C", "D"}) b.created(id);
    const timestamp start = b.now();
    const auto held = b.write(b.claim_of("w")).orders;
    b.done(b.release(held[0], start + seconds(3)));
    b.done(b.release(held[1], start + seconds(1)));
    b.done(b.release(held[2], start + seconds(3)));
    b.done(b.release(held[3], start + seconds(2)));
    b.advance(seconds(5));
    expect_claimed("claimed by due time, then number", {"B", "D", "A", "C"},
                   b.write(b.claim_of("w")));
}

void limit_is_kept(bench& b) {
    for (const char* id : {"A", "B", "C", "D", "E"}) b.created(id);
    claim_outcome out = b.write(b.claim_of("w", 2));
    expect_claimed("the first two", {"A", "B"}, out);
    expect(out.more, "three orders are due, but more is false");
    out = b.write(b.claim_of("w", 2));
    expect_claimed("the next two", {"C", "D"}, out);
    out = b.write(b.claim_of("w", 2));
    expect_claimed("the rest", {"E"}, out);
    expect(!out.more, "nothing is due, but more is true");
    expect(out.next_due.has_value(), "there are leases, but next_due is none");
}

void expired_lease_comes_back(bench& b) {
    b.created("A");
    const claimed_order held = b.claimed("A", "dies");
    b.advance(milliseconds(29'999));
    expect_equal("leases taken back early", std::size_t{0}, b.write(b.claim_of("w")).released);
    b.advance(milliseconds(1));
    const claim_outcome out = b.write(b.claim_of("w"));
    expect_equal("expired leases taken back", std::size_t{1}, out.released);
    expect_claimed("handed out at once, without back-off", {}, out);
    const timestamp retry = b.now() + seconds(1);
    expect_equal("next_due", std::optional(retry), out.next_due);
    const order back = b.found("A");
    expect_equal("status", order_status("PENDING"), back.status);
    expect_equal("next_attempt_at", std::optional(retry), back.next_attempt_at);
    expect_equal("attempts: the crash counts", 1U, back.attempts);
    expect(back.last_error.find("dies") != std::string::npos, "last_error does not say who");
    expect_equal("the entry", std::string("release"), b.history("A").back().event);
    b.advance(seconds(1));
    const claim_outcome again = b.write(b.claim_of("w"));
    expect_claimed("handed out after the back-off", {"A"}, again);
    expect_equal("attempts", 2U, again.orders.front().value.attempts);
    expect_equal("first_claimed_at", held.value.first_claimed_at,
                 again.orders.front().value.first_claimed_at);
}

void backoff_doubles(bench& b) {
    b.created("A");
    for (const int expected : {1000, 2000, 4000}) {
        expect_claimed("claimed", {"A"}, b.write(b.claim_of("w")));
        b.advance(seconds(30));
        b.write(b.claim_of("w"));
        expect_equal("back-off", std::optional(b.now() + milliseconds(expected)),
                     b.found("A").next_attempt_at);
        b.advance(seconds(60));
    }
}

void exhausted_order_fails(bench& b) {
    b.created("A");
    b.created("B");
    claim once = b.claim_of("w");
    once.attempts_max = 1;
    const auto held = b.write(once).orders;
    expect_equal("claimed", std::size_t{2}, held.size());
    b.done(b.release(held[0], b.now()));
    b.created("C");
    b.advance(seconds(30));  // B's lease expires
    once.expires_at = b.now() + seconds(30);
    const claim_outcome out = b.write(once);
    expect_equal("orders failed for lack of attempts", std::size_t{2}, out.failed);
    expect_equal("expired leases taken back", std::size_t{0}, out.released);
    expect_claimed("the one that has an attempt left", {"C"}, out);
    for (const char* id : {"A", "B"}) {
        const order failed = b.found(id);
        expect_equal("status", order_status("FAILED"), failed.status);
        expect_equal("attempts", 1U, failed.attempts);
        expect_equal("settled_at", std::optional(b.now()), failed.settled_at);
        expect(!failed.last_error.empty(), "a failed order does not say why");
        expect_equal("the entry", std::string("fail"), b.history(id).back().event);
    }
    expect_refused("finishing a failed order", errc::lease_lost,
                   b.write(b.leave(held[1], "complete")));
}

void limit_counts_all_that_is_touched(bench& b) {
    for (const char* id : {"A", "B", "C"}) b.created(id);
    b.write(b.claim_of("dies"));
    b.advance(seconds(30));
    b.created("D");
    claim_outcome out = b.write(b.claim_of("w", 2));
    expect_equal("taken back within the limit", std::size_t{2}, out.released);
    expect_claimed("handed out beyond the limit", {}, out);
    expect(out.more, "two orders are due, but more is false");
    out = b.write(b.claim_of("w", 2));
    expect_equal("taken back", std::size_t{1}, out.released);
    expect_claimed("handed out beside it", {"D"}, out);
}

void suspect_is_handed_out_alone(bench& b) {
    b.created("S");
    let_expire(b, "S", 3);
    b.created("A");
    b.created("B");
    claim_outcome out = b.write(b.claim_of("w"));
    expect_claimed("a suspect, due first", {"S"}, out);
    expect(out.orders.front().isolated,
           "an order whose lease expired three times is not kept apart");
    expect(out.more, "two orders are due, but more is false");
    out = b.write(b.claim_of("w"));
    expect_claimed("the others", {"A", "B"}, out);
    expect(!out.orders.front().isolated, "an innocent order is kept apart");
}

void suspect_stops_the_claim_before_it(bench& b) {
    b.created("S");
    let_expire(b, "S", 2);
    const claimed_order held = b.claimed("S");
    b.created("A");
    change later = b.release(held, b.now() + seconds(1));
    b.done(std::move(later));  // ends the row of expired_leases
    b.advance(seconds(2));
    expect_claimed("together again after a release", {"A", "S"}, b.write(b.claim_of("w")));

    b.created("T");
    let_expire(b, "T", 1);
    expect_claimed("claimed", {"T"}, b.write([&] {
        claim what = b.claim_of("dies");
        what.only = {"T"};
        return what;
    }()));
    b.created("C");  // due before T comes back
    b.advance(seconds(30));
    claim named = b.claim_of("w");
    named.only = {"T"};
    expect_equal("taken back", std::size_t{1}, b.write(named).released);
    b.advance(seconds(10));
    claim both = b.claim_of("w");
    both.only = {"T", "C"};
    expect_claimed("what is due before a suspect", {"C"}, b.write(both));
    expect_claimed("the suspect", {"T"}, b.write(named));
}

void named_orders_only(bench& b) {
    for (const char* id : {"A", "B", "C", "D"}) b.created(id);
    b.done(b.raise("D", "cancel"));
    claim what = b.claim_of("w");
    what.only = {"C", "never", "A", "D", "C"};
    expect_claimed("claimed by name", {"A", "C"}, b.write(what));
    expect_claimed("claimed by name again", {}, b.write(what));
    what.only = {"never"};
    expect_claimed("claimed by a name that is not there", {}, b.write(what));
    expect_equal("status of one not named", order_status("PENDING"), b.found("B").status);
    expect_claimed("the rest", {"B"}, b.write(b.claim_of("w")));
}

void claims_see_the_changes_before_them(bench& b) {
    b.created("A");
    b.created("B");
    const claimed_order a = b.claimed("A");
    b.created("X");
    batch all;
    all.changes = {b.create("C"), b.raise("B", "cancel"), b.release(a, b.now()), b.erase("X")};
    all.claims = {b.claim_of("w")};
    const batch_outcome out = b.write(all);
    for (const auto& it : out.changes) expect_ok("a change before a claim", it);
    expect_claimed("claimed of what the changes left", {"A", "C"}, out.claims.front());
    expect(out.claims.front().orders.front().lease > a.lease, "the token did not grow");
    expect_equal("the outcome of create, before the claim", order_status("PENDING"),
                 out.changes.front().after->status);
    expect_equal("status in the end", order_status("PROCESSING"), b.found("C").status);
    expect_equal("entries", std::size_t{2}, b.history("C").size());
}

void claims_of_a_write_share_nothing(bench& b) {
    for (const char* id : {"A", "B", "C", "D", "E"}) b.created(id);
    batch all;
    all.claims = {b.claim_of("w-1", 2), b.claim_of("w-2", 2), b.claim_of("w-3", 2)};
    const auto out = b.write(all).claims;
    expect_claimed("the first claim", {"A", "B"}, out[0]);
    expect_claimed("the second claim", {"C", "D"}, out[1]);
    expect_claimed("the third claim", {"E"}, out[2]);
    expect_equal("the worker of the second", std::string("w-2"), b.history("C").back().actor);
}

void stages_are_claimed_apart(bench& b) {
    static const transition_rule rules[] = {
        {"PAID", "pack", "PACKING", false},         {"PACKING", "packed", "PACKED", false},
        {"PACKING", "unpack", "PAID", false},       {"PAID", "pack_failed", "STUCK", false},
        {"PACKING", "pack_failed", "STUCK", false}, {"PACKED", "ship", "SHIPPING", false},
        {"SHIPPING", "shipped", "SHIPPED", false},  {"SHIPPING", "unship", "PACKED", false},
        {"PACKED", "ship_failed", "LOST", false},   {"SHIPPING", "ship_failed", "LOST", false},
    };
    static const work_stage stages[] = {
        {"PAID", "pack", "PACKING", "unpack", "pack_failed", "STUCK"},
        {"PACKED", "ship", "SHIPPING", "unship", "ship_failed", "LOST"},
    };
    static const status_machine machine =
        value("building a machine", status_machine::build("PAID", rules, stages));
    b.use(machine);
    claim pack = b.claim_of("p");
    claim ship = pack;
    ship.stage = &machine.stages()[1];
    b.created("A");
    b.created("B");
    const claim_outcome none = b.write(ship);
    expect_claimed("claimed of a stage where nothing waits", {}, none);
    expect(!none.next_due, "another stage's orders are due in this one");
    const auto packing = b.write(pack).orders;
    expect_equal("claimed of the first stage", std::size_t{2}, packing.size());
    change packed = b.leave(packing[0], "packed");
    std::get<transition_order>(packed.action).attempts = 0;
    b.done(std::move(packed));
    batch both;
    both.claims = {ship, pack};
    const auto out = b.write(both).claims;
    expect_claimed("claimed of the second stage", {"A"}, out[0]);
    expect_claimed("claimed of the first", {}, out[1]);
    expect_equal("next_due of the first", std::optional(pack.expires_at), out[1].next_due);
    expect_equal("attempts in the second stage", 1U, out[0].orders.front().value.attempts);
    expect_equal("status", order_status("SHIPPING"), b.found("A").status);
    b.advance(seconds(30));
    expect_equal("taken back of the first stage", std::size_t{1}, b.write(pack).released);
    expect_equal("status of the other stage's", order_status("SHIPPING"), b.found("A").status);
}

void many_due_orders_are_claimed_once(bench& b) {
    std::vector<change> creates;
    for (int i = 0; i < 300; ++i) creates.push_back(b.create("m" + std::to_string(i)));
    b.write(std::move(creates));
    std::size_t claimed = 0;
    bool more = true;
    for (int i = 0; more && i < 100; ++i) {
        const claim_outcome out = b.write(b.claim_of("w", 7));
        claimed += out.orders.size();
        more = out.more;
    }
    expect_equal("orders claimed, in sevens", std::size_t{300}, claimed);
    for (const order& it : b.list({})) expect_equal("attempts", 1U, it.attempts);
}

// Claims with a probe of that many orders, page by page from the beginning to the end.
strings claimed_by_probes(bench& b, std::size_t limit) {
    strings out;
    due_probe from;
    for (int i = 0; i < 100; ++i) {
        claim what = b.claim_of("w");
        what.lease = seconds(30);
        what.backoff_max = seconds(3600);
        what.probe = from;
        what.probe.limit = limit;
        what.limit = limit;
        const claim_outcome page = b.write(what);
        for (auto& id : ids_of(page.orders)) out.push_back(std::move(id));
        from = page.next_probe;
        if (from.waiting == due_position{} && from.active == due_position{}) return out;
    }
    fail("a probe never comes to its end");
}

change back_off(bench& b, const claimed_order& held, seconds time) {
    change out = b.release(held, b.now() + time);
    std::get<transition_order>(out.action).backoff = time;
    return out;
}

void backoff_of_a_clock_ahead_is_over(bench& b) {
    constexpr seconds a_year = std::chrono::hours(24 * 365);
    for (const char* id : {"asked-1", "asked-2", "asked-3"}) {
        b.created(id);
        b.done(b.release(b.claimed(id), b.now() + a_year));  // longer than any back-off
    }
    b.advance(a_year);
    b.created("A");
    b.created("B");
    b.done(back_off(b, b.claimed("A"), seconds(2)));
    b.done(b.release(b.claimed("B"), b.now() + seconds(3)));  // asked for by its processor
    b.advance(-a_year);
    expect_claimed("claimed without a probe", {}, b.write(b.claim_of("w")));
    expect_equal("claimed", strings{"A"}, claimed_by_probes(b, 2));
    claim named = b.claim_of("w");
    named.only = {"B", "asked-1"};
    expect_claimed("claimed of what was asked for", {}, b.write(named));
}

// Orders that were queued before the clock stepped back are due; there are others, which are not,
// before them in the index.
void queued_before_a_step_back_is_reached(bench& b) {
    constexpr seconds an_hour(3600);
    b.advance(an_hour);
    for (const char* id : {"A", "B", "C", "D", "E"}) b.created(id);
    b.advance(-an_hour);
    for (const char* id : {"later-1", "later-2", "later-3"}) {
        b.created(id);
        b.done(b.release(b.claimed(id), b.now() + seconds(600)));
    }
    expect_equal("claimed", strings{"A", "B", "C", "D", "E"}, [&] {
        strings all = claimed_by_probes(b, 2);
        std::sort(all.begin(), all.end());
        return all;
    }());
    for (const char* id : {"later-1", "later-2", "later-3"}) b.done(b.raise(id, "cancel"));
    b.advance(an_hour);
    for (const char* id : {"F", "G", "H"}) b.created(id);
    b.advance(-an_hour);
    claim_outcome out = b.write(b.claim_of("w", 2));
    expect_claimed("the first two", {"F", "G"}, out);
    expect(out.more, "an order is due, but more is false");
    out = b.write(b.claim_of("w", 2));
    expect_claimed("the last", {"H"}, out);
    expect(!out.more, "nothing is due, but more is true");
}

constexpr entry entries[] = {
    {"due_orders_are_handed_out", "A claim leases what is due, counts the attempt, says so.",
     due_orders_are_handed_out},
    {"nothing_to_claim_is_a_success", "A claim of nothing is no error, and has no next_due.",
     nothing_to_claim_is_a_success},
    {"nothing_is_claimed_before_it_is_due", "Nothing is claimed before it is due.",
     nothing_is_claimed_before_it_is_due},
    {"due_orders_come_in_order", "Candidates are offered by due_at, then number.",
     due_orders_come_in_order},
    {"the_limit_of_a_claim_is_kept", "A claim touches limit orders; more says if it stopped.",
     limit_is_kept},
    {"an_expired_lease_comes_back", "An expired lease goes back to waiting, with back-off.",
     expired_lease_comes_back},
    {"the_backoff_of_lapses_doubles", "The back-off doubles with each lapse in a row.",
     backoff_doubles},
    {"an_exhausted_order_fails", "Beyond attempts_max an order fails instead of going out.",
     exhausted_order_fails},
    {"the_limit_counts_all_that_is_touched", "limit counts handed out, failed and released.",
     limit_counts_all_that_is_touched},
    {"a_suspect_is_handed_out_alone", "An order whose lease expired twice in a row goes out alone.",
     suspect_is_handed_out_alone},
    {"a_suspect_stops_the_claim_before_it", "A suspect is not handed out beside others.",
     suspect_stops_the_claim_before_it},
    {"named_orders_only", "only= claims these and no others.", named_orders_only},
    {"claims_see_the_changes_before_them", "Claims may take what the same write's changes made.",
     claims_see_the_changes_before_them},
    {"claims_of_a_write_share_nothing", "An order goes to one of the claims of a write.",
     claims_of_a_write_share_nothing},
    {"stages_are_claimed_apart", "A claim takes the orders of its stage only.",
     stages_are_claimed_apart},
    {"a_back_off_of_a_clock_ahead_is_over",
     "A back-off beyond the longest is over; a delay that was asked for is not.",
     backoff_of_a_clock_ahead_is_over},
    {"what_was_queued_before_a_step_back_is_reached",
     "What was queued without a delay is claimed, whatever the clock says.",
     queued_before_a_step_back_is_reached},
    {"many_due_orders_are_claimed_once", "Claims in small pieces reach everything, once.",
     many_due_orders_are_claimed_once},
};

}  // namespace

std::vector<storage_case> claim_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
