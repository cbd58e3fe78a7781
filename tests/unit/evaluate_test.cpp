#include <orderproc/change.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;

namespace {

constexpr timestamp then = timestamp{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}};
constexpr timestamp now = then + 1h;
constexpr order_status pending = "PENDING";
constexpr order_status processing = "PROCESSING";
constexpr order_status completed = "COMPLETED";

// Waits for 10:00 with a history behind it; every field differs from its default.
stored_order waiting() {
    stored_order it;
    it.value.number = 7;
    it.value.id = order_id::parse("A-1").value();
    it.value.user = "5";
    it.value.item_ids = {1, 2};
    it.value.total_amount = {1999, "EUR"};
    it.value.metadata = R"({"a":1})";
    it.value.status = pending;
    it.value.version = order_version{4};
    it.value.attempts = 3;
    it.value.next_attempt_at = now + 10h;
    it.value.last_error = "busy";
    it.value.created_at = then;
    it.value.updated_at = then + 1min;
    it.value.first_claimed_at = then + 1s;
    it.lease = lease_token{3};
    it.due_at = now + 10h;
    it.expired_leases = 2;
    return it;
}

stored_order leased() {
    stored_order it = waiting();
    it.value.status = processing;
    it.value.next_attempt_at.reset();
    it.leased = true;
    it.worker_id = "w1";
    it.due_at = now + 30s;
    return it;
}

change move_to(order_status to, std::span<const order_status> from) {
    change out;
    out.order = "A-1";
    out.event = "go";
    transition_order move;
    move.to = to;
    out.action = move;
    out.from = from;
    out.actor = "somebody";
    return out;
}

transition_order& move_of(change& it) {
    return std::get<transition_order>(it.action);
}

error_code refusal_of(const stored_order* current, const change& what) {
    const auto verdict = evaluate(current, what, now);
    if (verdict) return {};
    BOOST_TEST(verdict.error().detail.empty());  // a refusal allocates nothing
    return verdict.error().code;
}

#define CHECK_REFUSED(current, what, why) \
    BOOST_TEST(refusal_of(current, what) == make_error_code(errc::why))

// What every journalled change does, and nothing but that.
stored_order moved_on(stored_order it) {
    it.value.version = order_version{static_cast<std::uint64_t>(it.value.version) + 1};
    it.value.updated_at = now;
    return it;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(refusals)

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found) {
    change it = move_to(completed, {});
    CHECK_REFUSED(nullptr, it, not_found);
    it.action = edit_order{};
    CHECK_REFUSED(nullptr, it, not_found);
    it.action = remove_order{};
    CHECK_REFUSED(nullptr, it, not_found);
    it.action = renew_lease{now};
    CHECK_REFUSED(nullptr, it, not_found);
}

BOOST_AUTO_TEST_CASE(what_is_there_is_not_created_again) {
    change it;
    it.action = create_order{waiting().value};
    const stored_order there = waiting();
    CHECK_REFUSED(&there, it, already_exists);
}

// All four reasons at once, then one less each time.
BOOST_AUTO_TEST_CASE(user_then_lease_then_version_then_status) {
    const stored_order current = leased();
    change it = move_to(completed, {&pending, 1});
    it.scope.user = "6";
    it.lease = lease_token{2};
    it.version = order_version{3};
    CHECK_REFUSED(&current, it, not_found);
    it.scope.user = "5";
    CHECK_REFUSED(&current, it, lease_lost);
    it.lease = lease_token{3};
    CHECK_REFUSED(&current, it, version_conflict);
    it.version = order_version{4};
    CHECK_REFUSED(&current, it, transition_rejected);
    it.from = {&processing, 1};
    BOOST_TEST(evaluate(&current, it, now).has_value());
    it.unleased = true;
    CHECK_REFUSED(&current, it, transition_rejected);
    it.version = order_version{5};
    CHECK_REFUSED(&current, it, version_conflict);
}

BOOST_AUTO_TEST_CASE(the_fence_refuses_whoever_was_taken_over) {
    stored_order current = leased();
    change it = move_to(completed, {&processing, 1});
    it.lease = lease_token{3};
    BOOST_TEST(evaluate(&current, it, now).has_value());
    current.lease = lease_token{4};
    CHECK_REFUSED(&current, it, lease_lost);
    // Nor a token of the future, nor the right one once the lease is ended.
    it.lease = lease_token{5};
    CHECK_REFUSED(&current, it, lease_lost);
    current.leased = false;
    it.lease = lease_token{4};
    CHECK_REFUSED(&current, it, lease_lost);
}

BOOST_AUTO_TEST_CASE(an_expired_lease_that_nobody_took_over_may_finish) {
    stored_order current = leased();
    current.due_at = now - 1h;
    change it = move_to(completed, {&processing, 1});
    it.lease = current.lease;
    BOOST_TEST(evaluate(&current, it, now).has_value());
    it.action = renew_lease{now + 1h};
    BOOST_TEST(evaluate(&current, it, now).has_value());
}

BOOST_AUTO_TEST_CASE(edits_and_removals_keep_off_leased_orders) {
    const stored_order current = leased();
    change it;
    it.unleased = true;
    it.action = edit_order{};
    CHECK_REFUSED(&current, it, transition_rejected);
    it.action = remove_order{};
    CHECK_REFUSED(&current, it, transition_rejected);
}

BOOST_AUTO_TEST_CASE(nothing_is_edited_once_an_attempt_has_begun) {
    change it;
    it.action = edit_order{};
    stored_order current = waiting();
    CHECK_REFUSED(&current, it, transition_rejected);
    current.value.attempts = 0;  // a client's retry, or a release, has set them back
    CHECK_REFUSED(&current, it, transition_rejected);
    it.version = order_version{3};
    CHECK_REFUSED(&current, it, version_conflict);
    it.version = current.value.version;
    current.value.first_claimed_at.reset();
    BOOST_TEST(evaluate(&current, it, now).has_value());
    current = waiting();
    it.action = remove_order{};
    BOOST_TEST(evaluate(&current, it, now).has_value());
}

BOOST_AUTO_TEST_CASE(a_look_up_changes_nothing) {
    const stored_order current = waiting();
    change it;
    it.action = look_up_key{};
    CHECK_REFUSED(nullptr, it, not_found);
    CHECK_REFUSED(&current, it, version_conflict);
    it.scope.user = current.value.user + "1";
    CHECK_REFUSED(&current, it, not_found);
}

BOOST_AUTO_TEST_CASE(there_is_no_lease_to_renew) {
    const stored_order current = waiting();
    change it;
    it.action = renew_lease{now + 1h};
    CHECK_REFUSED(&current, it, lease_lost);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(effects)

BOOST_AUTO_TEST_CASE(create) {
    change it;
    it.event = "create";
    it.actor = "shop";
    order value = waiting().value;
    value.version = order_version{9};
    value.next_attempt_at.reset();
    it.action = create_order{value, true};
    const auto out = evaluate(nullptr, it, now).value();

    value.version = order_version{1};
    value.created_at = now;
    value.updated_at = now;
    stored_order expected;
    expected.value = value;
    expected.due_at = now;
    BOOST_TEST((out.after == expected));
    BOOST_TEST(out.journaled);
    BOOST_TEST(!out.removed);
    BOOST_TEST(!out.completed);
    BOOST_TEST(out.event == "create");
    BOOST_TEST(!out.from.has_value());
    BOOST_TEST(out.actor == "shop");
    BOOST_TEST(out.reason.empty());
}

BOOST_AUTO_TEST_CASE(create_for_later_or_for_nobody) {
    change it;
    order value;
    it.action = create_order{value, false};
    BOOST_TEST(!evaluate(nullptr, it, now)->after.due_at.has_value());
    BOOST_TEST(!evaluate(nullptr, it, now)->after.value.settled_at.has_value());
    value.next_attempt_at = now + 1h;
    value.settled_at = then;  // the time is the storage's
    it.action = create_order{value, true};
    BOOST_TEST((evaluate(nullptr, it, now)->after.due_at == now + 1h));
    BOOST_TEST((evaluate(nullptr, it, now)->after.value.settled_at == now));
}

BOOST_AUTO_TEST_CASE(edit) {
    stored_order current = waiting();
    current.value.first_claimed_at.reset();
    change it;
    it.event = "edit";
    it.actor = "clerk";
    it.from = {&pending, 1};
    order_content wanted;
    wanted.user = "8";
    wanted.item_ids = {9};
    wanted.total_amount = {5, "JPY"};
    wanted.metadata = R"({"b":2})";
    it.action = edit_order{wanted};
    const auto out = evaluate(&current, it, now).value();

    stored_order expected = moved_on(current);
    expected.value.user = "8";
    expected.value.item_ids = {9};
    expected.value.total_amount = {5, "JPY"};
    expected.value.metadata = R"({"b":2})";
    BOOST_TEST((out.after == expected));
    BOOST_TEST(out.journaled);
    BOOST_TEST(!out.removed);
    BOOST_TEST(!out.completed);
    BOOST_TEST(out.event == "edit");
    BOOST_TEST((out.from == pending));
    BOOST_TEST(out.actor == "clerk");
}

BOOST_AUTO_TEST_CASE(a_back_off_is_told_from_a_delay_that_was_asked_for) {
    stored_order current = leased();
    current.span = 30s;
    change it = move_to(pending, {&processing, 1});
    move_of(it).queued = true;
    move_of(it).next_attempt_at = now + 4s;
    BOOST_TEST((evaluate(&current, it, now)->after.span == 0s));
    move_of(it).backoff = 4s;
    BOOST_TEST((evaluate(&current, it, now)->after.span == 4s));
    move_of(it).queued = false;
    BOOST_TEST((evaluate(&current, it, now)->after.span == 0s));
    it.action = renew_lease{now + 1h};
    BOOST_TEST((evaluate(&current, it, now)->after.span == 30s));
}

BOOST_AUTO_TEST_CASE(move_ends_the_lease_and_the_lapses) {
    const stored_order current = leased();
    change it = move_to(completed, {&processing, 1});
    move_of(it).reason = "done";
    move_of(it).settles = true;
    move_of(it).completes = true;
    const auto out = evaluate(&current, it, now).value();

    stored_order expected = moved_on(current);
    expected.value.status = completed;
    expected.value.settled_at = now;
    expected.leased = false;
    expected.worker_id.clear();
    expected.due_at.reset();
    expected.expired_leases = 0;
    BOOST_TEST((out.after == expected));  // the token stays: the next claim's is higher
    BOOST_TEST(out.journaled);
    BOOST_TEST(!out.removed);
    BOOST_TEST(out.completed);
    BOOST_TEST(out.event == "go");
    BOOST_TEST((out.from == processing));
    BOOST_TEST(out.actor == "somebody");
    BOOST_TEST(out.reason == "done");
}

BOOST_AUTO_TEST_CASE(move_sets_what_it_names) {
    stored_order current = leased();
    current.value.settled_at = then;
    change it = move_to(pending, {});
    move_of(it).queued = true;
    move_of(it).next_attempt_at = now + 5s;
    move_of(it).attempts = 1;
    move_of(it).last_error = "again";
    const auto out = evaluate(&current, it, now).value();

    stored_order expected = moved_on(current);
    expected.value.status = pending;
    expected.value.next_attempt_at = now + 5s;
    expected.value.attempts = 1;
    expected.value.last_error = "again";
    expected.value.settled_at.reset();
    expected.leased = false;
    expected.worker_id.clear();
    expected.due_at = now + 5s;
    expected.expired_leases = 0;
    BOOST_TEST((out.after == expected));
    BOOST_TEST(!out.completed);
}

BOOST_AUTO_TEST_CASE(move_without_a_time_is_due_now_if_queued) {
    const stored_order current = waiting();
    change it = move_to(pending, {});
    move_of(it).queued = true;
    const auto out = evaluate(&current, it, now).value();
    BOOST_TEST((out.after.due_at == now));
    BOOST_TEST(!out.after.value.next_attempt_at.has_value());
    BOOST_TEST(out.after.value.attempts == 3U);
    BOOST_TEST(out.after.value.last_error == "busy");
}

BOOST_AUTO_TEST_CASE(remove) {
    const stored_order current = waiting();
    change it;
    it.event = "delete";
    it.action = remove_order{};
    const auto out = evaluate(&current, it, now).value();
    stored_order expected = moved_on(current);
    expected.due_at.reset();
    BOOST_TEST((out.after == expected));
    BOOST_TEST(out.journaled);
    BOOST_TEST(out.removed);
    BOOST_TEST(!out.completed);
    BOOST_TEST((out.from == pending));
}

BOOST_AUTO_TEST_CASE(renew) {
    const stored_order current = leased();
    change it;
    it.event = "renew";
    it.lease = current.lease;
    it.action = renew_lease{now + 1min};
    const auto out = evaluate(&current, it, now).value();
    stored_order expected = current;
    expected.due_at = now + 1min;
    BOOST_TEST((out.after == expected));
    BOOST_TEST(!out.journaled);
    BOOST_TEST(!out.removed);
    BOOST_TEST(!out.completed);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(already_there)

BOOST_AUTO_TEST_CASE(is_a_refusal_unless_repeatable) {
    stored_order current = waiting();
    current.value.status = completed;
    current.due_at.reset();
    change it = move_to(completed, {&pending, 1});
    CHECK_REFUSED(&current, it, transition_rejected);
    move_of(it).repeatable = true;
    const auto out = evaluate(&current, it, now).value();
    BOOST_TEST((out.after == current));
    BOOST_TEST(!out.journaled);
    BOOST_TEST(!out.completed);
    // Elsewhere it is a refusal all the same, and so is a stale version.
    current.value.status = processing;
    CHECK_REFUSED(&current, it, transition_rejected);
    current.value.status = completed;
    it.version = order_version{3};
    CHECK_REFUSED(&current, it, version_conflict);
}

BOOST_AUTO_TEST_CASE(completes_only_once) {
    stored_order current = waiting();
    current.value.status = completed;
    change it = move_to(completed, {&processing, 1});
    move_of(it).repeatable = true;
    move_of(it).completes = true;
    BOOST_TEST(!evaluate(&current, it, now)->completed);
}

BOOST_AUTO_TEST_CASE(completes_only_what_is_worked_on) {
    const stored_order current = waiting();
    change it = move_to(completed, {&pending, 1});
    move_of(it).completes = true;
    BOOST_TEST(!evaluate(&current, it, now)->completed);
}

BOOST_AUTO_TEST_CASE(the_trace_is_that_of_the_latest_client) {
    stored_order current = leased();
    current.traceparent = "00-client";
    change it = move_to(completed, {&processing, 1});
    it.traceparent = "00-other";
    BOOST_TEST(evaluate(&current, it, now)->after.traceparent == "00-other");
    it.traceparent.clear();
    BOOST_TEST(evaluate(&current, it, now)->after.traceparent.empty());
    it.lease = current.lease;  // a worker's: the order keeps its own
    BOOST_TEST(evaluate(&current, it, now)->after.traceparent == "00-client");
}

BOOST_AUTO_TEST_CASE(an_interrupted_attempt_keeps_its_lapses) {
    stored_order current = leased();
    current.expired_leases = 2;
    change it = move_to(pending, {&processing, 1});
    BOOST_TEST(evaluate(&current, it, now)->after.expired_leases == 0U);
    move_of(it).interrupted = true;
    BOOST_TEST(evaluate(&current, it, now)->after.expired_leases == 2U);
}

BOOST_AUTO_TEST_CASE(but_due_later_becomes_due_now) {
    const stored_order current = waiting();
    change it = move_to(pending, {&completed, 1});
    move_of(it).repeatable = true;
    move_of(it).queued = true;
    move_of(it).reason = "hurry";
    const auto out = evaluate(&current, it, now).value();
    stored_order expected = moved_on(current);
    expected.due_at = now;
    expected.value.next_attempt_at.reset();
    BOOST_TEST((out.after == expected));
    BOOST_TEST(out.journaled);
    BOOST_TEST(out.reason == "hurry");
    BOOST_TEST((out.from == pending));
}

BOOST_AUTO_TEST_CASE(and_due_soon_enough_stays) {
    stored_order current = waiting();
    change it = move_to(pending, {&completed, 1});
    move_of(it).repeatable = true;
    move_of(it).queued = true;
    current.due_at = now;
    BOOST_TEST(!evaluate(&current, it, now)->journaled);
    BOOST_TEST((evaluate(&current, it, now)->after == current));
    current.due_at = now + 1h;
    move_of(it).next_attempt_at = now + 2h;  // never later than it is
    BOOST_TEST(!evaluate(&current, it, now)->journaled);
    move_of(it).next_attempt_at = now + 1min;
    BOOST_TEST((evaluate(&current, it, now)->after.due_at == now + 1min));
    BOOST_TEST((evaluate(&current, it, now)->after.value.next_attempt_at == now + 1min));
}

BOOST_AUTO_TEST_CASE(and_forgotten_is_queued_again) {
    stored_order current = waiting();
    current.due_at.reset();
    change it = move_to(pending, {&completed, 1});
    move_of(it).repeatable = true;
    move_of(it).queued = true;
    BOOST_TEST((evaluate(&current, it, now)->after.due_at == now));
}

BOOST_AUTO_TEST_SUITE_END()
