// What a write asks a database for, and what it makes of the answers: without a database.

#include "planner_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace planner_fixture;

BOOST_AUTO_TEST_CASE(each_thing_is_asked_for_once) {
    writing what{{creating("B"), creating("A")}, {by_worker(3), by_worker(4)}};
    what.claims[0].only = {"A", "C"};
    what.changes[0].idempotency_key = testing::idempotency_of("k");
    what.cursors = {{"relay", "me", {}, now}, {"relay", "me", {}, now}};
    const plan::read_set out = plan::reads_of(what.params());
    BOOST_TEST((out.ids == names{"A", "B", "C"}));
    BOOST_TEST((out.new_ids == names{"A", "B"}));
    BOOST_TEST(out.keys.size() == 1U);
    BOOST_TEST((out.cursors == names{"relay"}));
    BOOST_TEST(!out.all_cursors);
    BOOST_TEST_REQUIRE(out.due.size() == 2U);
    // What the claims and the named orders may take away, and one more.
    BOOST_TEST(out.due[0].rows == 3U + 4U + 4U + 1U);
}

BOOST_AUTO_TEST_CASE(a_new_order_gets_the_next_number_and_entry) {
    database db;
    db.add("A", waiting());
    db.sums.position = 20;
    const planned out(db, {{creating("B")}});
    const plan::write_set& set = out.result();
    BOOST_TEST(out.changes[0].ec == error_code());
    BOOST_TEST(out.changes[0].after->number == 2);
    BOOST_TEST(set.changed);
    BOOST_TEST_REQUIRE(set.created.size() == 1U);
    BOOST_TEST(set.moved.empty());
    BOOST_TEST_REQUIRE(set.entries.size() == 1U);
    BOOST_TEST(set.entries[0].position == 21U);
    BOOST_TEST(set.sums.position == 21U);
    BOOST_TEST(set.sums.statuses.at("PENDING").orders == 2);
    BOOST_TEST((set.sums.stamp == now));
}

BOOST_AUTO_TEST_CASE(a_taken_id_is_refused_and_nothing_is_stored) {
    database db;
    db.add("A", waiting());
    db.buried = {"Z"};
    const planned out(db, {{creating("A"), creating("Z")}});
    BOOST_TEST((out.changes[0].ec == errc::already_exists));
    BOOST_TEST(out.changes[0].after.has_value());
    BOOST_TEST((out.changes[1].ec == errc::already_exists));
    BOOST_TEST(!out.changes[1].after.has_value());
    BOOST_TEST(!out.result().changed);
}

BOOST_AUTO_TEST_CASE(a_used_key_is_answered_from_the_journal) {
    database db;
    const auto once = testing::idempotency_of("k", "body");
    order first = testing::order_builder().id("A").build();
    db.keys[once.key] = {once.body, first};
    const auto purged = testing::idempotency_of("old", "body");
    db.keys[purged.key] = {purged.body, std::nullopt};
    writing what{{creating("B"), creating("C"), creating("D")}};
    what.changes[0].idempotency_key = once;
    what.changes[1].idempotency_key = testing::idempotency_of("k", "another");
    what.changes[2].idempotency_key = purged;
    const planned out(db, what);
    BOOST_TEST(out.changes[0].replayed);
    BOOST_TEST((*out.changes[0].after == first));
    BOOST_TEST((out.changes[1].ec == errc::idempotency_mismatch));
    BOOST_TEST(!out.changes[1].after.has_value());
    BOOST_TEST((out.changes[2].ec == errc::not_found));
    BOOST_TEST(!out.result().changed);
}

BOOST_AUTO_TEST_CASE(a_claim_sees_what_the_changes_made) {
    database db;
    stored_order held = expired();
    held.due_at = now - 1s;
    db.add("held", held);
    db.add("old", waiting());
    writing what{{creating("new"), finishing("held", held)}, {by_worker(10)}};
    const planned out(db, what);
    BOOST_TEST((ids_of(out.claims[0]) == names{"old", "new"}));
    BOOST_TEST(out.claims[0].released == 0U);  // its lease is over, but it was completed before
    const plan::write_set& set = out.result();
    BOOST_TEST(set.created.size() == 1U);
    BOOST_TEST(set.moved.size() == 2U);
    BOOST_TEST((set.created[0]->value.status == stage.active));
    BOOST_TEST(set.entries.size() == 4U);
    BOOST_TEST(set.sums.statuses.at("PENDING").orders == 0);
    BOOST_TEST(set.sums.statuses.at("PROCESSING").orders == 2);
    BOOST_TEST(set.sums.statuses.at("COMPLETED").orders == 1);
    BOOST_TEST(set.sums.completed == 1U);
}

BOOST_AUTO_TEST_CASE(two_claims_never_get_the_same_order) {
    database db;
    for (const char* id : {"A", "B", "C", "D", "E"}) db.add(id, waiting());
    const planned out(db, {{}, {by_worker(2), by_worker(2)}});
    BOOST_TEST((ids_of(out.claims[0]) == names{"A", "B"}));
    BOOST_TEST((ids_of(out.claims[1]) == names{"C", "D"}));
    BOOST_TEST(out.claims[1].more);
    BOOST_TEST((out.result().sums.statuses.at("PENDING").due_from == now - 1s));
}

BOOST_AUTO_TEST_CASE(what_is_due_next_is_known_beyond_what_was_taken) {
    database db;
    db.add("A", waiting());
    stored_order later = waiting();
    later.due_at = later.value.next_attempt_at = now + 5s;
    db.add("B", later);
    const planned out(db, {{}, {by_worker(10)}});
    BOOST_TEST((ids_of(out.claims[0]) == names{"A"}));
    BOOST_TEST(!out.claims[0].more);
    BOOST_TEST((out.claims[0].next_due == now + 5s));
    const auto& statuses = out.result().sums.statuses;
    BOOST_TEST((statuses.at("PENDING").due_from == now + 5s));
    BOOST_TEST((statuses.at("PROCESSING").due_from == now + 30s));
}

BOOST_AUTO_TEST_CASE(an_earlier_order_lowers_where_due_times_begin) {
    database db;
    stored_order later = waiting();
    later.due_at = later.value.next_attempt_at = now + 5s;
    db.add("A", later);
    BOOST_TEST((db.sums.statuses["PENDING"].due_from == now + 5s));
    const planned out(db, {{creating("B")}});
    BOOST_TEST((out.result().sums.statuses.at("PENDING").due_from == now));
}

BOOST_AUTO_TEST_CASE(a_renewal_is_stored_without_an_entry) {
    database db;
    stored_order held = expired();
    held.due_at = now + 1s;
    db.add("A", held);
    const planned out(db, {{renewing("A", held)}});
    BOOST_TEST(out.result().changed);
    BOOST_TEST(out.result().entries.empty());
    BOOST_TEST_REQUIRE(out.result().moved.size() == 1U);
    BOOST_TEST((out.result().moved[0]->due_at == now + 60s));
}

BOOST_AUTO_TEST_CASE(a_clock_that_stepped_back_records_the_latest_time) {
    database db;
    db.sums.stamp = now + 1h;
    const planned out(db, {{creating("A")}, {by_worker(1)}});
    BOOST_TEST((out.changes[0].after->created_at == now + 1h));
    BOOST_TEST((ids_of(out.claims[0]) == names{"A"}));
    BOOST_TEST((out.result().sums.stamp == now + 1h));
    BOOST_TEST((out.result().at.now == now));
}

BOOST_AUTO_TEST_CASE(cursors_and_records_see_what_came_before_in_the_write) {
    database db;
    db.cursors["relay"] = {{7, 3}, "other", now + 1s, now};
    writing what;
    what.cursors = {{"relay", "me", {}, now + 9s},
                    {"own", "me", feed_position{7, 1}, now + 9s},
                    {"own", "me", feed_position{7, 2}, now + 9s}};
    what.records = {{record_action::create, "keys", "a", 0, "1"},
                    {record_action::create, "keys", "a", 0, "2"}};
    const planned out(db, what);
    BOOST_TEST((out.cursors[0].ec == errc::lease_lost));
    BOOST_TEST(out.cursors[2].at.offset == 2U);
    BOOST_TEST(out.result().cursors.size() == 1U);
    BOOST_TEST((out.records[1].ec == errc::already_exists));
    BOOST_TEST(out.result().records.size() == 1U);
    BOOST_TEST(out.result().sums.record_version == 1U);
}

BOOST_AUTO_TEST_CASE(a_purge_takes_whole_orders_that_ended) {
    database db;
    stored_order done = waiting();
    done.value.status = "COMPLETED";
    done.value.settled_at = now - 48h;
    done.due_at.reset();
    const std::int64_t ended = db.add("A", done);
    const std::int64_t open = db.add("B", waiting());
    db.sums.position = 3;
    const order first = db.orders[0].value;
    db.walk = {{1, ended, order_version{1}, now - 50h, "A", order_version{4}, first},
               {2, open, order_version{1}, now - 50h, "B", order_version{1}, db.orders[1].value},
               {3, ended, order_version{4}, now - 48h, "A", order_version{4}, first}};
    writing what;
    what.purges = {{now - 24h, 10}};
    const planned out(db, what);
    BOOST_TEST(out.purges[0].orders == 1U);
    BOOST_TEST(out.purges[0].entries == 4U);
    BOOST_TEST(out.purges[0].floor.offset == 3U);
    BOOST_TEST_REQUIRE(out.result().removed.size() == 1U);
    BOOST_TEST(out.result().removed[0].id == "A");
    BOOST_TEST_REQUIRE(out.result().purged.size() == 1U);
    BOOST_TEST(out.result().purged[0].number == ended);
    BOOST_TEST(out.result().sums.floor == 3U);
}

BOOST_AUTO_TEST_CASE(what_a_clock_ahead_put_off_is_looked_for_beyond_what_is_due) {
    database db;
    stored_order far = waiting();
    far.due_at = far.value.next_attempt_at = now + 24h * 3650;
    far.span = 1s;
    db.add("A", far);
    writing what{{}, {by_worker(1)}};
    what.claims[0].backoff_max = 1h;
    const planned without(db, what);
    BOOST_TEST(without.claims[0].orders.empty());
    what.claims[0].probe.limit = 8;
    const planned with(db, what);
    BOOST_TEST((ids_of(with.claims[0]) == names{"A"}));
}
