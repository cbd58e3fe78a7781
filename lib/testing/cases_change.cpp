// Changes as compare-and-set, and batches of them.

#include "testing/kit.hpp"

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

void stale_version_is_refused(bench& b) {
    const order first = b.created("V-1");
    b.advance(seconds(1));
    change edit = b.edit("V-1", "{}");
    edit.version = first.version;
    const order second = b.done(edit);
    expect_equal("the version after an edit", order_version{2}, second.version);
    const auto stale = b.write(edit);
    expect_refused("an edit of a version that has passed", errc::version_conflict, stale);
    expect_same("the order that refused it", second, stale.after);
    edit.version = order_version{3};
    expect_refused("an edit of a version to come", errc::version_conflict, b.write(edit));
    change remove = b.erase("V-1");
    remove.version = first.version;
    expect_refused("a delete of a version that has passed", errc::version_conflict,
                   b.write(remove));
    expect_same("the order", second, b.find("V-1"));
}

void another_users_order_is_not_found(bench& b) {
    const order mine = b.created("U-1", 1);
    for (change what : {b.edit("U-1", "{}"), b.raise("U-1", "cancel"), b.erase("U-1")}) {
        what.scope.user = "2";
        const auto refused = b.write(what);
        expect_refused("another user's " + what.event, errc::not_found, refused);
        expect(!refused.after, "another user's order is shown to one who may not see it");
    }
    expect_same("the order", mine, b.find("U-1"));
    change own = b.raise("U-1", "cancel");
    own.scope.user = "1";
    b.done(std::move(own));
}

void another_tenants_order_is_not_found(bench& b) {
    order sent = sample("T-1");
    sent.tenant = "north";
    const order mine = b.done(b.create(sent));
    for (const char* other : {"south", ""}) {
        for (change what : {b.edit("T-1", "{}"), b.raise("T-1", "cancel"), b.erase("T-1")}) {
            what.scope.tenant = other;
            const auto refused = b.write(what);
            expect_refused("another tenant's " + what.event, errc::not_found, refused);
            expect(!refused.after, "another tenant's order is shown to one who may not see it");
        }
    }
    expect_same("the order", mine, b.find("T-1"));
    change own = b.raise("T-1", "cancel");
    own.scope = {"1", "north"};
    b.done(std::move(own));
}

void edit_replaces_content_of_every_kind(bench& b) {
    order sent = sample("E-2");
    sent.user = "guest-5";
    sent.item_ids.clear();
    sent.lines = {{"A", 2, amount{150}, "a cup"}};
    sent.tenant = "north";
    sent.attributes = {{"gift", true}};
    sent.annotations = "{\"a\":1}";
    const order made = b.done(b.create(sent));
    order_content other = sample("E-2", 7);
    other.attributes = {{"note", "x"}};
    order expected = made;
    static_cast<order_content&>(expected) = other;
    expected.tenant = "north";           // an edit that names none keeps it
    expected.annotations = "{\"a\":1}";  // the same
    expected.version = order_version{2};
    expect_same("the outcome of edit", expected, b.done(b.edit("E-2", other)));
    expect_same("load()", expected, b.find("E-2"));
    expect_same("the journal", expected, b.history("E-2").back().after);
    other = sent;
    other.annotations = "{\"b\":2}";
    static_cast<order_content&>(expected) = other;
    expected.version = order_version{3};
    expect_same("the edit back", expected, b.done(b.edit("E-2", other)));
    expect_same("load()", expected, b.find("E-2"));
    other.tenant = "south";
    expect_refused("an edit to another tenant", errc::invalid_argument,
                   b.write(b.edit("E-2", other)));
    expect_same("load()", expected, b.find("E-2"));
}

void missing_order_is_not_found(bench& b) {
    b.created("M-1");
    b.done(b.erase("M-1"));
    for (const char* id : {"M-1", "never", "", "no/such id at all"}) {
        for (const change& what : {b.edit(id, "{}"), b.raise(id, "cancel"), b.erase(id)}) {
            const auto refused = b.write(what);
            expect_refused(what.event + " of a missing order", errc::not_found, refused);
            expect(!refused.after, "a missing order is shown");
        }
    }
}

void edit_replaces_what_clients_may_set(bench& b) {
    order expected = b.created("E-1", 1);
    b.advance(seconds(5));
    const order edited = b.done(b.edit("E-1", R"({"new":true})"));
    expected.user = "7";
    expected.item_ids = {5, 6};
    expected.total_amount = {150, "JPY"};
    expected.metadata = R"({"new":true})";
    expected.version = order_version{2};
    expected.updated_at = b.now();
    expect_same("the outcome of edit", expected, edited);
    expect_same("load()", expected, b.find("E-1"));
    expect(b.list(of_user(1)).empty(), "the order is listed with the user it had before");
    expect_equal("orders of the new user", std::size_t{1}, b.list(of_user(7)).size());
}

void move_sets_and_keeps(bench& b) {
    b.created("M-1");
    const claimed_order held = b.claimed("M-1");
    b.advance(seconds(2));
    const order waits = b.done(b.release(held, b.now() + seconds(60)));
    order expected = held.value;
    expected.status = "PENDING";
    expected.version = order_version{3};
    expected.updated_at = b.now();
    expected.next_attempt_at = b.now() + seconds(60);
    expected.last_error = "try later";
    expect_same("a release", expected, waits);
    expect_same("load()", expected, b.find("M-1"));

    b.advance(seconds(60));
    const claimed_order again = b.claimed("M-1");
    expect_equal("attempts at the second claim", 2U, again.value.attempts);
    const order failed = b.done(b.leave(again, "fail"));
    expect_equal("settled_at of a failed order", std::optional(b.now()), failed.settled_at);
    expect_equal("attempts, kept", 2U, failed.attempts);
    expect_equal("last_error, kept", std::string("try later"), failed.last_error);
    const order retried = b.done(b.raise("M-1", "retry"));
    expect_equal("attempts after a client's retry", 0U, retried.attempts);
    expect_equal("settled_at after a retry", std::optional<timestamp>{}, retried.settled_at);
    expect_same("load()", retried, b.find("M-1"));
}

void move_from_a_wrong_status_is_refused(bench& b) {
    b.created("S-1");
    const order cancelled = b.done(b.raise("S-1", "cancel"));
    const auto refused = b.write(b.raise("S-1", "retry"));
    expect_refused("retry of a cancelled order", errc::transition_rejected, refused);
    expect_same("the order that refused it", cancelled, refused.after);
    expect_refused("edit of a cancelled order", errc::transition_rejected,
                   b.write(b.edit("S-1", "{}")));
    expect_same("the order", cancelled, b.find("S-1"));
}

void what_is_there_already_changes_nothing(bench& b) {
    b.created("R-1");
    const order cancelled = b.done(b.raise("R-1", "cancel"));
    const feed_position newest = b.newest();
    b.advance(seconds(1));
    expect_same("a second cancel", cancelled, b.done(b.raise("R-1", "cancel")));
    expect_same("load()", cancelled, b.find("R-1"));
    expect_equal("the newest entry", newest, b.newest());
}

void retry_of_a_waiting_order_makes_it_due(bench& b) {
    b.created("R-1");
    b.done(b.release(b.claimed("R-1"), b.now() + seconds(600)));
    expect(b.write(b.claim_of("w")).orders.empty(), "an order is claimed before it is due");
    const order sooner = b.done(b.raise("R-1", "retry"));
    expect_equal("next_attempt_at", std::optional<timestamp>{}, sooner.next_attempt_at);
    expect_equal("version", order_version{4}, sooner.version);
    expect_equal("claimed", std::vector<std::string>{"R-1"},
                 ids_of(b.write(b.claim_of("w")).orders));
}

void order_being_worked_on_is_left_alone(bench& b) {
    b.created("L-1");
    const claimed_order held = b.claimed("L-1");
    expect_refused("delete of a leased order", errc::transition_rejected, b.write(b.erase("L-1")));
    expect_refused("edit of a leased order", errc::transition_rejected,
                   b.write(b.edit("L-1", "{}")));
    expect_same("the order", held.value, b.find("L-1"));
}

void edit_after_an_attempt_is_refused(bench& b) {
    b.created("E-1");
    change retried = b.release(b.claimed("E-1"), b.now());
    b.done(std::move(retried));
    const auto tried = b.write(b.edit("E-1", "{}"));
    expect_refused("an edit after an attempt", errc::transition_rejected, tried);
    expect_same("the order that refused it", b.found("E-1"), tried.after);

    b.created("E-2");  // given back undecided, at a shutdown: it has begun all the same
    change released = b.release(b.claimed("E-2"), b.now());
    std::get<transition_order>(released.action).attempts = 0;
    std::get<transition_order>(released.action).interrupted = true;
    b.done(std::move(released));
    expect_equal("attempts", 0U, b.found("E-2").attempts);
    expect_refused("an edit after a release", errc::transition_rejected,
                   b.write(b.edit("E-2", "{}")));

    b.created("E-3");
    b.done(b.leave(b.claimed("E-3"), "fail"));
    b.done(b.raise("E-3", "retry"));
    expect_refused("an edit after a client's retry", errc::transition_rejected,
                   b.write(b.edit("E-3", "{}")));
    b.done(b.erase("E-1"));  // cancelling and deleting say nothing about the content
    b.done(b.raise("E-2", "cancel"));
}

void deleted_order_leaves_its_history(bench& b) {
    b.created("X-1");
    b.advance(seconds(1));
    const order gone = b.done(b.erase("X-1"));
    expect_equal("the last version", order_version{2}, gone.version);
    expect(!b.find("X-1"), "a deleted order is loaded");
    expect(b.list({}).empty(), "a deleted order is listed");
    expect_equal("claimed", std::size_t{0}, b.write(b.claim_of("w")).orders.size());
    const auto entries = b.history("X-1");
    expect_equal("entries of a deleted order", std::size_t{2}, entries.size());
    expect_equal("the last event", std::string("delete"), entries.back().event);
    expect_same("the last entry", gone, entries.back().after);
}

void each_change_of_a_batch_stands_alone(bench& b) {
    b.created("B-1");
    b.created("B-2");
    b.done(b.raise("B-2", "cancel"));
    const feed_position before = b.newest();
    const auto outcomes = b.write({b.create("B-1"), b.create("B-3"), b.raise("B-2", "retry"),
                                   b.erase("B-9"), b.create("B-4")});
    expect_refused("the duplicate", errc::already_exists, outcomes[0]);
    expect_ok("the create after it", outcomes[1]);
    expect_refused("the illegal move", errc::transition_rejected, outcomes[2]);
    expect_refused("the missing order", errc::not_found, outcomes[3]);
    expect_ok("the create at the end", outcomes[4]);
    expect_same("load()", *outcomes[1].after, b.find("B-3"));
    expect_same("load()", *outcomes[4].after, b.find("B-4"));
    expect_equal("entries of the batch", before.offset + 2, b.newest().offset);
}

void empty_write_succeeds(bench& b) {
    b.write(batch{});
    expect_equal("entries", std::uint64_t{0}, b.newest().offset);
}

// A clock that steps back must not end leases early: what is due is judged by the clock, not by
// what was recorded.
void a_clock_that_steps_back_ends_no_lease(bench& b) {
    b.created("T-1");
    b.advance(seconds(-3600));
    b.claimed("T-1");  // queued without a delay: due whatever the clock says
    const claim_outcome again = b.write(b.claim_of("other"));
    expect_equal("orders handed out again", std::size_t{0}, again.orders.size());
    expect_equal("leases taken away", std::size_t{0}, again.released);
}

void time_never_runs_backwards(bench& b) {
    const order first = b.created("T-1");
    b.advance(seconds(-3600));
    const order second = b.created("T-2");
    expect_equal("created_at of a later order", first.created_at, second.created_at);
    const order edited = b.done(b.raise("T-1", "cancel"));
    expect_equal("updated_at", first.created_at, edited.updated_at);
    expect_equal("settled_at", std::optional(first.created_at), edited.settled_at);
    expect_equal("an entry's time", first.created_at, b.history("T-1").back().at);
    const claimed_order held = b.claimed("T-2");
    expect_equal("first_claimed_at", std::optional(first.created_at), held.value.first_claimed_at);
}

constexpr entry entries[] = {
    {"another_tenants_order_is_not_found", "A change stays within its scope's tenant.",
     another_tenants_order_is_not_found},
    {"an_edit_replaces_content_of_every_kind",
     "An edit replaces all of the content, but the tenant, and annotations that it does not name.",
     edit_replaces_content_of_every_kind},
    {"a_stale_version_is_refused", "A change is a compare-and-set on the version it names.",
     stale_version_is_refused},
    {"another_users_order_is_not_found", "To a principal bound to a user others' orders are not.",
     another_users_order_is_not_found},
    {"a_missing_order_is_not_found", "A change of an order that is not there is not_found.",
     missing_order_is_not_found},
    {"an_edit_replaces_what_clients_may_set", "An edit replaces the client's fields, no others.",
     edit_replaces_what_clients_may_set},
    {"a_move_sets_and_keeps", "A move sets what evaluate() says and keeps the rest.",
     move_sets_and_keeps},
    {"a_move_from_a_wrong_status_is_refused", "A change is legal only from the statuses it names.",
     move_from_a_wrong_status_is_refused},
    {"what_is_there_already_changes_nothing",
     "A repeated event is a success without version or entry.",
     what_is_there_already_changes_nothing},
    {"a_retry_of_a_waiting_order_makes_it_due", "Asking again makes a waiting order due now.",
     retry_of_a_waiting_order_makes_it_due},
    {"an_order_being_worked_on_is_left_alone", "Nobody edits or deletes an order under lease.",
     order_being_worked_on_is_left_alone},
    {"an_edit_after_an_attempt_is_refused", "Once an attempt has begun the content stays.",
     edit_after_an_attempt_is_refused},
    {"a_deleted_order_leaves_its_history", "A deleted order is gone, its history is not.",
     deleted_order_leaves_its_history},
    {"each_change_of_a_batch_stands_alone", "A refused change does not touch its neighbours.",
     each_change_of_a_batch_stands_alone},
    {"an_empty_write_succeeds", "A write of nothing succeeds.", empty_write_succeeds},
    {"time_never_runs_backwards", "What is recorded is never before what was recorded earlier.",
     time_never_runs_backwards},
    {"a_clock_that_steps_back_ends_no_lease", "What is due is judged by the write's own time.",
     a_clock_that_steps_back_ends_no_lease},
};

}  // namespace

std::vector<storage_case> change_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
