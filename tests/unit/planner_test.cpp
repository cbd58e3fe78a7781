// What a write asks a database for, and what it makes of the answers: without a database.

#include "storage/plan/planner.hpp"

#include "claim_fixture.hpp"

#include <orderproc/testing/builders.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

using namespace claim_fixture;
using namespace std::chrono_literals;
namespace plan = orderproc::detail::plan;

namespace {

// A write and its results.
struct writing {
    std::vector<change> changes = {};
    std::vector<claim> claims = {};
    std::vector<commit_cursor> cursors = {};
    std::vector<change_record> records = {};
    std::vector<purge_orders> purges = {};
    timestamp at = now;

    write_params params() const {
        write_params out{at, "test", 1, changes, claims, cursors};
        out.forget_before = at;
        out.records = records;
        out.purges = purges;
        return out;
    }
};

// The database: everything that there is, of which each write is given what it asks for.
struct database {
    plan::totals sums;
    std::vector<stored_order> orders = {};
    std::vector<std::string> buried = {};
    std::map<digest, plan::used_key> keys = {};
    std::map<std::string, stored_cursor, std::less<>> cursors = {};
    std::vector<plan::walked_entry> walk = {};

    std::int64_t add(std::string_view id, stored_order it) {
        it.value.id = order_id::parse(id).value();
        it.value.number = ++sums.number;
        auto& status = sums.statuses[it.value.status];
        ++status.orders;
        if (it.due_at) status.due_from = std::min(status.due_from, *it.due_at);
        orders.push_back(std::move(it));
        return sums.number;
    }

    std::vector<due_position> behind(order_status status, due_position after,
                                     std::size_t limit) const {
        std::vector<due_position> out;
        for (const stored_order& it : orders) {
            if (it.value.status != status || !it.due_at) continue;
            const due_position place{*it.due_at, it.value.number};
            if (place > after) out.push_back(place);
        }
        std::sort(out.begin(), out.end());
        if (out.size() > limit) out.resize(limit);
        return out;
    }

    plan::found_rows answer(const write_params& params) const {
        const plan::read_set wanted = plan::reads_of(params);
        const plan::later_reads later = plan::later_reads_of(params, sums);
        const timestamp stamp = write_time(params.now, sums.stamp).stamp;
        plan::found_rows out;
        out.sums = sums;
        out.epochs = {{7, 1}};
        std::vector<std::int64_t> numbers;
        for (const plan::due_prefix& it : wanted.due) {
            auto& places = out.due[it.status] = behind(it.status, {}, it.rows);
            for (const due_position& place : places) {
                if (place.due_at <= stamp) numbers.push_back(place.number);
            }
        }
        for (const due_range& it : later.ranges) {
            out.ranges.push_back(behind(it.status, it.after, it.limit));
            for (const due_position& place : out.ranges.back()) numbers.push_back(place.number);
        }
        for (const stored_order& it : orders) {
            const std::string id(it.value.id.view());
            const bool named = std::count(wanted.ids.begin(), wanted.ids.end(), id) > 0;
            const bool due = std::count(numbers.begin(), numbers.end(), it.value.number) > 0;
            if (named || due) out.orders.push_back(it);
        }
        for (const std::string& id : wanted.new_ids) {
            if (std::count(buried.begin(), buried.end(), id) > 0) out.buried.push_back(id);
        }
        for (const digest& it : wanted.keys) {
            if (const auto used = keys.find(it); used != keys.end()) out.keys.insert(*used);
        }
        for (const auto& [name, it] : cursors) {
            const bool named = std::count(wanted.cursors.begin(), wanted.cursors.end(), name) > 0;
            if (wanted.all_cursors || named) out.cursors.emplace(name, it);
        }
        out.walk.assign(walk.begin(), walk.begin() + static_cast<std::ptrdiff_t>(
                                                         std::min(later.walk, walk.size())));
        return out;
    }
};

// Plans the write, and keeps what the plan points into.
struct planned {
    planned(const database& db, writing what)
        : asked(std::move(what)), params(asked.params()), it(params, db.answer(params)) {
        changes.resize(asked.changes.size());
        claims.resize(asked.claims.size());
        cursors.resize(asked.cursors.size());
        records.resize(asked.records.size());
        purges.resize(asked.purges.size());
        write_results results{changes, claims, cursors};
        results.records = records;
        results.purges = purges;
        it.run(results);
    }
    const plan::write_set& result() const { return it.result(); }

    const writing asked;
    const write_params params;
    std::vector<change_outcome> changes;
    std::vector<claim_outcome> claims;
    std::vector<cursor_outcome> cursors;
    std::vector<record_outcome> records;
    std::vector<purge_outcome> purges;
    plan::planner it;
};

change creating(std::string_view id) {
    change out;
    out.order = id;
    out.event = "create";
    order value = testing::order_builder().id(id).status("PENDING").build();
    out.action = create_order{std::move(value), true};
    return out;
}

change finishing(std::string_view id, const stored_order& held) {
    change out;
    out.order = id;
    out.event = "complete";
    transition_order to;
    to.to = "COMPLETED";
    to.settles = to.completes = true;
    out.action = std::move(to);
    out.lease = held.lease;
    return out;
}

change renewing(std::string_view id, const stored_order& held) {
    change out;
    out.order = id;
    out.event = "renew";
    out.action = renew_lease{now + 60s};
    out.lease = held.lease;
    return out;
}

std::vector<std::string> ids_of(const claim_outcome& it) {
    std::vector<std::string> out;
    for (const claimed_order& each : it.orders) out.emplace_back(each.value.id.view());
    return out;
}

using names = std::vector<std::string>;

}  // namespace

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
    db.walk = {{1, ended, order_version{1}, "create", now - 50h, done.value},
               {2, open, order_version{1}, "create", now - 50h, db.orders[1].value},
               {3, ended, order_version{4}, "complete", now - 48h, db.orders[0].value}};
    writing what;
    what.purges = {{now - 24h, 10}};
    const planned out(db, what);
    BOOST_TEST(out.purges[0].orders == 1U);
    BOOST_TEST(out.purges[0].entries == 4U);
    BOOST_TEST(out.purges[0].floor.offset == 3U);
    BOOST_TEST_REQUIRE(out.result().removed.size() == 1U);
    BOOST_TEST(out.result().removed[0].id == "A");
    BOOST_TEST((out.result().purged == std::vector<std::int64_t>{ended}));
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
