// Purges: what goes, what stays, and where the feed begins afterwards.

#include "testing/kit.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

using std::chrono::hours;

constexpr hours week{7 * 24};

purge_orders until(timestamp before, std::size_t limit = 1000) {
    return {before, limit, week};
}

// The work on an order ends. Others wait meanwhile.
void finish(bench& b, std::string_view id, std::string_view event) {
    b.done(b.leave(b.claimed(id), event));
}

// A purge, and what must hold after each.
purge_outcome purge(bench& b, const purge_orders& what) {
    const purge_outcome out = b.write(what);
    expect_equal("a purge", error_code{}, out.ec);
    const feed_page page = value("read_feed()", b.reader().read_feed({out.floor, 1000}));
    expect(!page.reset, "reading from the floor is a reset");
    expect_equal("the floor", out.floor, page.oldest);
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
        expect_equal("the offset of an entry above the floor", out.floor.offset + 1 + i,
                     page.entries[i].position.offset);
    }
    b.check_invariants();
    return out;
}

void expect_gone(bench& b, std::string_view id) {
    const std::string name(id);
    expect(!b.find(id), name + " was purged, but is found");
    expect(b.history(id).empty(), name + " was purged, but has a history");
    const history_params of_user{id, order_version{0}, 1000, {"1", {}}};
    expect(value("history()", b.reader().history(of_user)).empty(),
           name + " was purged, but a user sees its history");
    const auto again = b.write(b.create(id));
    expect_refused("creating " + name + " again", errc::already_exists, again);
    expect(!again.after, name + " was purged, but refuses with an order");
    expect_refused("an event on " + name, errc::not_found, b.write(b.raise(id, "cancel")));
}

void settled_orders_go_whole(bench& b) {
    for (const char* id : {"done", "failed", "cancelled", "deleted", "open"}) b.created(id);
    finish(b, "done", "complete");
    finish(b, "failed", "fail");
    b.done(b.raise("cancelled", "cancel"));
    b.done(b.erase("deleted"));
    const order open = b.done(b.edit("open", "{}"));
    const statistics before = b.count();
    b.advance(hours(1));
    b.created("young");
    const order young = b.done(b.raise("young", "cancel"));
    const feed_position newest = b.newest();

    const purge_outcome out = purge(b, until(b.now() - seconds(60)));
    expect_equal("orders that went", std::uint64_t{3}, out.orders);
    expect_equal("entries that went", newest.offset - 4, out.entries);
    expect(!out.more, "there is more to purge");
    expect_equal("the floor", newest.offset - 2, out.floor.offset);
    expect_equal("newest", newest, b.newest());
    expect_equal("listed", std::vector<std::string>{"young", "open"}, ids_of(b.list({})));
    expect_same("an order that is open", open, b.find("open"));
    expect_same("an order that is young", young, b.find("young"));
    expect_equal("completed, ever", before.completed, b.count().completed);
    for (const char* id : {"done", "failed", "cancelled", "deleted"}) expect_gone(b, id);
    const purge_outcome again = purge(b, until(b.now() - seconds(60)));
    expect_equal("entries that went twice", std::uint64_t{0}, again.entries);
    expect_equal("the floor", out.floor, again.floor);
}

void open_orders_keep_their_history(bench& b) {
    b.created("open");
    b.created("first");
    b.done(b.raise("first", "cancel"));
    const claimed_order held = b.claimed("open");
    b.done(b.release(held, b.now()));
    const auto history = b.history("open");
    b.advance(hours(1));
    purge(b, until(b.now()));
    const auto kept = b.history("open");
    expect_equal("entries of an open order", history.size(), kept.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
        expect_equal("the position of an entry", history[i].position, kept[i].position);
        expect_same("an entry", history[i].after, kept[i].after);
    }
    expect_equal("entries in the feed", std::size_t{0},
                 value("read_feed()", b.reader().read_feed({b.newest(), 9})).entries.size());
    finish(b, "open", "complete");
    expect_equal("entries when it has gone on", history.size() + 2, b.history("open").size());
    b.check_invariants();
    b.advance(hours(1));
    const purge_outcome out = purge(b, until(b.now()));
    expect_equal("entries that went, those below the floor too", std::uint64_t{5}, out.entries);
    expect_gone(b, "open");
}

void feed_begins_at_the_floor(bench& b) {
    for (const char* id : {"A", "B"}) {
        b.created(id);
        b.done(b.raise(id, "cancel"));
    }
    const feed_position old = b.newest();
    b.advance(hours(1));
    b.created("C");
    const feed_position floor = purge(b, until(b.now())).floor;
    expect_equal("the floor", old, floor);
    const feed_position below[] = {{}, {old.epoch, 0}, {old.epoch, 3}};
    for (const feed_position& it : below) {
        const feed_page page = value("read_feed()", b.reader().read_feed({it, 9}));
        expect(page.reset && page.entries.empty(), "no reset for " + show(it));
        expect_equal("where to go on", floor, page.oldest);
        expect_equal("newest", b.newest(), page.newest);
    }
    const feed_page page = value("read_feed()", b.reader().read_feed({floor, 9}));
    expect_equal("entries behind the floor", std::size_t{1}, page.entries.size());
    expect_equal("the order behind the floor", std::string("C"), id_of(page.entries[0].after));
}

void purge_stops_at_its_time(bench& b) {
    const auto settled = [&](std::string id) {
        b.created(id);
        b.done(b.raise(id, "cancel"));
        b.advance(hours(1));
    };
    settled("A");
    settled("B");
    settled("C");
    batch what;
    what.purges = {until(b.now())};
    what.forget_before = b.now() - hours(3);  // A is as old as that, and no older
    expect_equal("orders whose keys are kept", std::uint64_t{0}, b.write(what).purges[0].orders);
    what.forget_before = b.now() - hours(2);
    expect_equal("orders whose keys are forgotten", std::uint64_t{1},
                 b.write(what).purges[0].orders);
    expect_equal("orders before that time", std::uint64_t{0},
                 purge(b, until(b.now() - hours(2))).orders);
    expect_equal("orders before the next", std::uint64_t{1},
                 purge(b, until(b.now() - hours(1))).orders);
    expect_equal("left", std::vector<std::string>{"C"}, ids_of(b.list({})));
}

void purges_go_on(bench& b) {
    constexpr int count = 150;
    for (int i = 0; i < count; ++i) {
        const std::string id = "p-" + std::to_string(i);
        b.created(id);
        if (i % 10 != 0) b.done(b.raise(id, "cancel"));
    }
    b.advance(hours(1));
    const auto purge_all = [&] {
        std::uint64_t orders = 0;
        for (bool more = true; more;) {
            const purge_outcome out = purge(b, until(b.now(), 50));
            expect(out.orders <= 50, "a purge goes beyond its limit");
            orders += out.orders;
            more = out.more;
        }
        return orders;
    };
    expect_equal("orders that went", std::uint64_t{count - count / 10}, purge_all());
    expect_equal("the floor is the newest", b.newest().offset,
                 value("read_feed()", b.reader().read_feed({b.newest(), 1})).oldest.offset);
    for (int i = 0; i < count; i += 10) b.done(b.raise("p-" + std::to_string(i), "cancel"));
    b.advance(hours(1));
    expect_equal("orders that went later", std::uint64_t{count / 10}, purge_all());
    expect(b.list({}).empty(), "orders are left");
    b.created("next");
    expect_equal("the history of a new order", std::size_t{1}, b.history("next").size());
}

commit_cursor moving(bench& b, std::string name, std::uint64_t to) {
    return {std::move(name), "kit", feed_position{b.newest().epoch, to}, b.now() + seconds(30)};
}

void cursors_hold_a_purge_back(bench& b) {
    for (const char* id : {"A", "B", "C"}) {
        b.created(id);
        b.done(b.raise(id, "cancel"));
    }
    b.write(moving(b, "relay", 4));
    b.write(moving(b, "webhook", 3));
    b.advance(hours(1));
    purge_outcome out = purge(b, until(b.now()));
    expect_equal("the floor below a cursor", std::uint64_t{3}, out.floor.offset);
    expect_equal("orders below it", std::uint64_t{1}, out.orders);
    expect_equal("what holds it", std::string("webhook"), out.held_by);
    b.write(moving(b, "webhook", 6));
    out = purge(b, until(b.now()));
    expect_equal("the floor below the next cursor", std::uint64_t{4}, out.floor.offset);
    expect_equal("what holds it", std::string("relay"), out.held_by);
    commit_cursor gone = moving(b, "relay", 0);
    gone.remove = true;
    b.write(gone);
    out = purge(b, until(b.now()));
    expect_equal("the floor when that was removed", std::uint64_t{6}, out.floor.offset);
    expect_equal("left", std::size_t{0}, b.list({}).size());
}

void cursor_that_stands_still_holds_nothing(bench& b) {
    b.created("A");
    b.done(b.raise("A", "cancel"));
    b.write(moving(b, "relay", 1));
    b.advance(week);
    b.write(moving(b, "relay", 1));  // renews its lease, and does not move
    purge_outcome out = purge(b, until(b.now()));
    expect_equal("the floor after a week", std::uint64_t{1}, out.floor.offset);
    b.advance(milliseconds(1));
    out = purge(b, until(b.now()));
    expect_equal("the floor after more than a week", std::uint64_t{2}, out.floor.offset);
    expect(out.held_by.empty(), "a cursor that stood still holds it");
    const auto at = value("find_cursor()", b.reader().find_cursor("relay"));
    expect(at && value("read_feed()", b.reader().read_feed({*at, 9})).reset,
           "its reader gets no reset");
    // What is lost is not held for it, although it moves.
    b.write(moving(b, "relay", 0));
    b.created("B");
    b.done(b.raise("B", "cancel"));
    b.advance(hours(1));
    out = purge(b, until(b.now()));
    expect_equal("the floor above a place that is gone", b.newest(), out.floor);
}

void cursor_that_had_nothing_to_pass_holds(bench& b) {
    b.created("A");
    b.write(moving(b, "relay", 1));
    b.advance(2 * week);
    b.done(b.raise("A", "cancel"));
    b.advance(hours(1));
    purge_outcome out = purge(b, until(b.now()));
    expect_equal("the floor at a cursor that was at the end", std::uint64_t{1}, out.floor.offset);
    expect_equal("what holds it", std::string("relay"), out.held_by);
    b.advance(week);
    out = purge(b, until(b.now()));
    expect_equal("the floor when that has waited for a week", b.newest(), out.floor);
}

void key_of_what_was_purged(bench& b) {
    b.done(with_key(b.create("A"), key(1, 1)));
    b.done(b.raise("A", "cancel"));
    b.advance(hours(1));
    const auto late = with_key(b.raise("A", "cancel"), key(2, 2));  // it is already: a success
    expect_ok("cancelling again", b.write(late));
    purge(b, until(b.now() - seconds(1)));
    for (const change& it : {late, with_key(b.create("A"), key(1, 1))}) {
        const auto out = b.write(it);
        expect_refused("the key of a " + it.event + " that was purged", errc::not_found, out);
        expect(!out.after, "an order that was purged is the answer to a key");
    }
    expect_refused("another body", errc::idempotency_mismatch,
                   b.write(with_key(b.create("A"), key(1, 3))));
}

void purge_sees_the_rest_of_the_write(bench& b) {
    for (const char* id : {"A", "B"}) {
        b.created(id);
        finish(b, id, "fail");
    }
    b.advance(hours(1));
    batch what;
    what.changes = {b.raise("A", "retry")};
    what.purges = {until(b.now())};
    const auto out = b.write(what);
    expect_ok("the retry", out.changes[0]);
    expect_equal("orders that went", std::uint64_t{1}, out.purges[0].orders);
    expect_equal("left", std::vector<std::string>{"A"}, ids_of(b.list({})));
    expect_equal("the history of what was tried again", std::size_t{4}, b.history("A").size());
}

void purge_is_part_of_the_write(bench& b) {
    for (const char* id : {"B", "C", "D"}) {
        b.created(id);
        b.done(b.raise(id, "cancel"));
    }
    b.created("A");
    const order settled = b.done(b.raise("A", "cancel"));
    b.advance(hours(1));
    batch all;
    all.purges = {until(b.now())};
    if (!b.harness().fail_writes(true)) throw case_skipped("the harness cannot make writes fail");
    batch_outcome out;
    const auto failed = b.try_write(all, out);
    expect(b.harness().fail_writes(false), "the harness cannot make writes work again");
    expect(!failed, "a write that failed half-way is answered as a success");
    b.close_writer();
    b.open_writer();
    expect_same("an order after a purge that failed", settled, b.find("A"));
    expect_equal("its history", std::size_t{2}, b.history("A").size());
    expect_equal("the feed", std::size_t{8}, b.feed().size());
    expect_equal("orders that went", std::uint64_t{4}, b.write(all).purges[0].orders);
    expect(value("was_applied()", b.writer().was_applied(bench::writer_name, b.sequence())),
           "was_applied() does not know a write that only purged");
}

void purge_is_for_good(bench& b) {
    b.require_durable();
    b.created("open");
    b.created("A");
    b.done(b.raise("A", "cancel"));
    b.advance(hours(1));
    const feed_position floor = purge(b, until(b.now())).floor;
    b.close();
    b.open();
    expect_equal("the floor", floor, value("read_feed()", b.reader().read_feed({floor, 9})).oldest);
    expect_gone(b, "A");
    expect_equal("the history of an open order", std::size_t{1}, b.history("open").size());
}

constexpr capability needs = capability::purge;
constexpr entry entries[] = {
    {"settled_orders_go_whole", "A purge deletes what is settled, all of it, but not its id.",
     settled_orders_go_whole, needs},
    {"open_orders_keep_their_history", "What is open keeps its history below the floor.",
     open_orders_keep_their_history, needs},
    {"the_feed_begins_at_the_floor", "A position below the floor is a reset, also offset 0.",
     feed_begins_at_the_floor, needs},
    {"a_purge_stops_at_its_time", "What is too young, or may still be replayed, stays.",
     purge_stops_at_its_time, needs},
    {"purges_go_on", "A purge that stopped at its limit is gone on with.", purges_go_on, needs},
    {"cursors_hold_a_purge_back", "What a cursor has not passed stays in the feed.",
     cursors_hold_a_purge_back, needs},
    {"a_cursor_that_stands_still_holds_nothing",
     "A cursor that has not moved for hold_max gets a reset.",
     cursor_that_stands_still_holds_nothing, needs},
    {"a_cursor_that_had_nothing_to_pass_holds",
     "What is younger than hold_max is held for a cursor, however long it had nothing to pass.",
     cursor_that_had_nothing_to_pass_holds, needs},
    {"a_key_of_what_was_purged_is_not_found", "A key whose answer was purged does nothing.",
     key_of_what_was_purged, needs},
    {"a_purge_sees_the_rest_of_the_write", "A purge comes last in its write.",
     purge_sees_the_rest_of_the_write, needs},
    {"a_purge_is_part_of_the_write", "A purge is done with the rest or not at all.",
     purge_is_part_of_the_write, needs},
    {"a_purge_is_for_good", "What was purged stays away, and the floor where it is.",
     purge_is_for_good, needs},
};

}  // namespace

std::vector<storage_case> purge_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
