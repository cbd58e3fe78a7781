// The journal as a feed, and the cursors of those who read it.

#include "testing/kit.hpp"

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

void some_work(bench& b, const std::string& prefix, int orders) {
    std::vector<change> creates;
    for (int i = 0; i < orders; ++i) creates.push_back(b.create(prefix + std::to_string(i)));
    b.write(std::move(creates));
    std::vector<change> finishes;
    for (const auto& held : b.write(b.claim_of("w", 3)).orders) {
        finishes.push_back(b.leave(held, "complete"));
    }
    finishes.push_back(b.raise(prefix + std::to_string(orders - 1), "cancel"));
    b.write(std::move(finishes));
}

void positions_have_no_gaps(bench& b) {
    some_work(b, "f", 10);
    (void)b.write(b.create("f0"));           // refused
    (void)b.write(b.raise("f9", "cancel"));  // nothing to do
    b.done(b.erase("f8"));
    b.created("last");
    const auto all = b.feed();
    expect_equal("entries", std::size_t{10 + 3 + 3 + 1 + 2}, all.size());
    std::uint64_t offset = 0;
    for (const journal_entry& it : all) {
        expect(it.position.epoch != 0, "an entry is in epoch 0");
        expect_equal("the position of an entry",
                     feed_position{all.front().position.epoch, ++offset}, it.position);
    }
    expect_equal("newest", all.back().position, b.newest());
    expect_same("the last entry", b.found("last"), all.back().after);
}

void pages_of_the_feed_join(bench& b) {
    some_work(b, "f", 10);
    const auto whole = b.feed();
    for (const std::size_t limit : {1U, 3U, 19U}) {
        const auto paged = b.feed(limit);
        expect_equal("entries in pages of " + show(limit), whole.size(), paged.size());
        for (std::size_t i = 0; i < whole.size(); ++i) {
            expect_equal("a position", whole[i].position, paged[i].position);
            expect_same("an entry", whole[i].after, paged[i].after);
            expect_equal("an entry's event", whole[i].event, paged[i].event);
        }
    }
}

void feed_and_histories_agree(bench& b) {
    some_work(b, "f", 6);
    some_work(b, "g", 6);
    std::size_t told = 0;
    for (const journal_entry& it : b.feed()) {
        const auto version = static_cast<std::uint64_t>(it.version);
        const auto history = b.history(id_of(it.after));
        expect(version <= history.size(), "an entry of the feed is missing in the history");
        const journal_entry& same = history[version - 1];
        expect_equal("position in the history", it.position, same.position);
        expect_equal("event in the history", it.event, same.event);
        expect_equal("from in the history", it.from, same.from);
        expect_equal("actor in the history", it.actor, same.actor);
        expect_equal("reason in the history", it.reason, same.reason);
        expect_equal("traceparent in the history", it.traceparent, same.traceparent);
        expect_equal("time in the history", it.at, same.at);
        expect_same("order in the history", it.after, same.after);
        ++told;
    }
    expect_equal("entries", b.newest().offset, std::uint64_t{told});
}

void unknown_position_resets(bench& b) {
    const feed_page empty = value("read_feed()", b.reader().read_feed({{}, 10}));
    expect(!empty.reset && empty.entries.empty(), "an empty feed is not empty");
    expect(empty.oldest.epoch != 0, "the epoch is 0");
    some_work(b, "f", 4);
    const feed_position newest = b.newest();
    const auto read = [&b](feed_position after) {
        return value("read_feed()", b.reader().read_feed({after, 10}));
    };
    for (const feed_position after :
         {feed_position{newest.epoch + 1, 1}, feed_position{newest.epoch - 1, 2},
          feed_position{newest.epoch, newest.offset + 1},
          feed_position{newest.epoch, ~std::uint64_t{0}}}) {
        const feed_page page = read(after);
        expect(page.reset, "no reset after " + show(after) + "; newest is " + show(newest));
        expect(page.entries.empty(), "a reset comes with entries");
        const feed_page on = read(page.oldest);
        expect(!on.reset && !on.entries.empty(), "the feed does not go on from oldest");
    }
    for (const std::uint64_t epoch : {std::uint64_t{0}, newest.epoch, newest.epoch + 1}) {
        const feed_page page = read({epoch, 0});
        expect(!page.reset, "the beginning, in epoch " + show(epoch) + ", is a reset");
        expect_equal("the first entry", feed_position{newest.epoch, 1},
                     page.entries.at(0).position);
    }
    const feed_page end = read(newest);
    expect(!end.reset && end.entries.empty(), "after the newest entry there is something");
    expect_equal("newest", newest, end.newest);
}

// Where the reader says that it goes on, or that it does not.
void expect_in_journal(bench& b, feed_position at, bool is_in, const std::string& which) {
    const feed_page page = value("read_feed()", b.reader().read_feed({at, 10}));
    expect(page.reset != is_in, "after " + show(at) + ", " + which +
                                    (is_in ? ": a reset" : ": no reset") + "; newest is " +
                                    show(page.newest));
}

void epochs_form_a_chain(bench& b) {
    some_work(b, "f", 4);
    const auto before = b.feed();
    const feed_position old = b.newest();
    const feed_position begun{old.epoch + 17, old.offset};
    const auto rotated = b.writer().rotate_epoch(begun.epoch);
    expect(rotated.has_value(), "rotate_epoch() failed: " + rotated.error().message());
    expect_equal("newest in an epoch without entries", begun, b.newest());
    expect_in_journal(b, begun, true, "the newest in an epoch without entries");
    some_work(b, "g", 3);
    const auto all = b.feed(2);
    expect(all.size() > before.size(), "nothing was added after a new epoch began");
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::uint64_t epoch = i < before.size() ? old.epoch : begun.epoch;
        expect_equal("the position of an entry", feed_position{epoch, i + 1}, all[i].position);
    }
    expect_equal("the position in a history", all.back().position,
                 b.history(id_of(all.back().after)).back().position);
    expect_equal("the position in an older history", before.front().position,
                 b.history(id_of(before.front().after)).front().position);
    expect_in_journal(b, old, true, "the last one of the epoch before");
    expect_in_journal(b, {old.epoch, old.offset + 1}, false, "beyond the end of its epoch");
    expect_in_journal(b, {begun.epoch, begun.offset - 1}, false, "before its epoch began");
    const feed_page on = value("read_feed()", b.reader().read_feed({old, 1}));
    expect_equal("what follows the epoch before", feed_position{begun.epoch, old.offset + 1},
                 on.entries.at(0).position);
}

void an_epoch_is_new(bench& b) {
    some_work(b, "f", 2);
    const feed_position first = b.newest();
    const std::uint64_t next = first.epoch + 1;
    expect(b.writer().rotate_epoch(next).has_value(), "a new epoch is refused");
    for (const std::uint64_t epoch : {std::uint64_t{0}, first.epoch, next}) {
        const auto again = b.writer().rotate_epoch(epoch);
        expect(!again && again.error().code == errc::invalid_argument,
               "epoch " + show(epoch) + " was begun though it is 0 or was there before");
    }
    expect_equal("newest", feed_position{next, first.offset}, b.newest());
    // One that got no entry keeps its place in the chain.
    expect(b.writer().rotate_epoch(next + 1).has_value(), "a third epoch is refused");
    expect_in_journal(b, {next, first.offset}, true, "the only one of an epoch without entries");
    b.created("last");
    expect_equal("newest", feed_position{next + 1, first.offset + 1}, b.newest());
    expect_in_journal(b, {next, first.offset}, true, "the only one of an epoch without entries");
    expect_in_journal(b, {next, first.offset + 1}, false, "beyond an epoch without entries");
}

commit_cursor move(bench& b, std::string owner, std::optional<std::uint64_t> to = {}) {
    commit_cursor out;
    out.name = "relay";
    out.owner = std::move(owner);
    if (to) out.to = feed_position{b.newest().epoch, *to};
    out.expires_at = b.now() + seconds(30);
    return out;
}

void expect_cursor(bench& b, std::string_view what, std::uint64_t offset) {
    const auto at = value("find_cursor()", b.reader().find_cursor("relay"));
    expect(at.has_value(), std::string(what) + ": the cursor is not found");
    expect_equal(what, offset, at->offset);
    if (offset > 0) expect_equal("the cursor's epoch", b.newest().epoch, at->epoch);
}

void cursor_is_taken_and_moved(bench& b) {
    some_work(b, "f", 5);
    expect(!value("find_cursor()", b.reader().find_cursor("relay")),
           "a cursor that nobody took is found");
    cursor_outcome out = b.write(move(b, "a"));
    expect_equal("taking a new cursor", error_code{}, out.ec);
    expect_equal("where a new cursor stands", std::uint64_t{0}, out.at.offset);
    out = b.write(move(b, "a", 3));
    expect_equal("moving it", error_code{}, out.ec);
    expect_equal("where it was moved", std::uint64_t{3}, out.at.offset);
    expect_cursor(b, "after a move", 3);
    out = b.write(move(b, "a"));  // renews
    expect_equal("where it stands after renewing", std::uint64_t{3}, out.at.offset);
    expect(!value("find_cursor()", b.reader().find_cursor("rela")),
           "a cursor is found by the beginning of its name");
}

void cursor_has_one_owner(bench& b) {
    some_work(b, "f", 5);
    b.write(move(b, "a", 2));
    for (const auto& intruder : {move(b, "b"), move(b, "b", 5), move(b, "A", 5)}) {
        const cursor_outcome out = b.write(intruder);
        expect_equal("taking another's cursor", make_error_code(errc::lease_lost), out.ec);
        expect_equal("where it stands", std::uint64_t{2}, out.at.offset);
    }
    commit_cursor leaving = move(b, "b", 5);
    leaving.expires_at = b.now();
    expect_equal("letting another's cursor go", make_error_code(errc::lease_lost),
                 b.write(leaving).ec);
    expect_cursor(b, "after all that", 2);
    expect_equal("the owner moves on", error_code{}, b.write(move(b, "a", 4)).ec);
}

void cursor_expires(bench& b) {
    some_work(b, "f", 5);
    b.write(move(b, "a", 2));
    b.advance(milliseconds(29'999));
    expect_equal("taking it a millisecond early", make_error_code(errc::lease_lost),
                 b.write(move(b, "b")).ec);
    b.advance(milliseconds(1));
    const cursor_outcome out = b.write(move(b, "b"));
    expect_equal("taking an expired cursor", error_code{}, out.ec);
    expect_equal("where it stands when taken", std::uint64_t{2}, out.at.offset);
    expect_equal("the one who lost it moves it", make_error_code(errc::lease_lost),
                 b.write(move(b, "a", 5)).ec);
    b.advance(seconds(20));
    b.write(move(b, "b", 3));  // renews as well
    b.advance(seconds(20));
    expect_equal("taking a renewed cursor", make_error_code(errc::lease_lost),
                 b.write(move(b, "a")).ec);
    expect_cursor(b, "in the end", 3);
}

void cursor_is_let_go(bench& b) {
    some_work(b, "f", 5);
    b.write(move(b, "a", 2));
    commit_cursor leaving = move(b, "a", 4);
    leaving.expires_at = b.now();
    expect_equal("letting go", error_code{}, b.write(leaving).ec);
    const cursor_outcome out = b.write(move(b, "b"));
    expect_equal("taking what was let go", error_code{}, out.ec);
    expect_equal("where it stands", std::uint64_t{4}, out.at.offset);
}

void cursor_of_a_clock_ahead_is_taken(bench& b) {
    some_work(b, "f", 5);
    b.advance(seconds(3600));
    b.write(move(b, "a", 2));
    b.advance(seconds(-3600));
    cursor_outcome out = b.write(move(b, "b"));
    expect_equal("taking another's cursor", make_error_code(errc::lease_lost), out.ec);
    expect_equal("until when it is held", std::optional(b.now() + seconds(3630)), out.held_until);
    commit_cursor what = move(b, "b");
    what.expired = out.held_until;
    b.write(move(b, "a", 3));  // renewed
    expect_equal("taking a cursor that was renewed", make_error_code(errc::lease_lost),
                 b.write(what).ec);
    b.advance(seconds(3600));
    b.write(move(b, "a"));
    b.advance(seconds(-3600));
    out = b.write(what);
    expect_equal("taking a cursor that was seen unchanged for a lease", error_code{}, out.ec);
    expect_equal("where it stands", std::uint64_t{3}, out.at.offset);
}

void cursors_are_apart(bench& b) {
    some_work(b, "f", 5);
    batch both;
    both.cursors = {move(b, "a", 2), move(b, "b", 3)};
    both.cursors[1].name = "webhook/1";
    both.changes = {b.create("beside")};
    const auto out = b.write(both);
    expect_equal("the first cursor", error_code{}, out.cursors[0].ec);
    expect_equal("the second cursor", error_code{}, out.cursors[1].ec);
    expect_ok("the create beside them", out.changes[0]);
    expect_cursor(b, "the first", 2);
    const auto other = value("find_cursor()", b.reader().find_cursor("webhook/1"));
    expect_equal("the second", std::uint64_t{3}, other ? other->offset : 0);
    batch refused;
    refused.cursors = {move(b, "b", 5)};
    refused.changes = {b.create("beside-2")};
    const auto outcome = b.write(refused);
    expect_equal("another's cursor", make_error_code(errc::lease_lost), outcome.cursors[0].ec);
    expect_ok("the create beside a refused cursor", outcome.changes[0]);
}

void cursors_are_listed(bench& b) {
    const auto listed = [&] {
        auto all = b.reader().list_cursors();
        if (!all && all.error().code == errc::not_supported) return std::vector<named_cursor>{};
        return value("list_cursors()", std::move(all));
    };
    expect(listed().empty(), "cursors that nobody took are listed");
    some_work(b, "f", 5);
    batch both;
    both.cursors = {move(b, "b", 3), move(b, "a", 2)};
    both.cursors[0].name = "webhook/1";
    b.write(both);
    const auto all = listed();
    if (all.empty()) return;  // not supported
    expect_equal("cursors", std::size_t{2}, all.size());
    const std::uint64_t epoch = b.newest().epoch;
    expect_equal("the first by name", std::string("relay"), all[0].name);
    expect_equal("where it stands", feed_position{epoch, 2}, all[0].at);
    expect_equal("the second by name", std::string("webhook/1"), all[1].name);
    expect_equal("where that stands", feed_position{epoch, 3}, all[1].at);
}

void cursor_is_removed(bench& b) {
    const auto remove = [&](std::string owner) {
        commit_cursor out = move(b, std::move(owner), 1);
        out.remove = true;
        return b.write(out);
    };
    some_work(b, "f", 5);
    b.write(move(b, "a", 4));
    expect_equal("another removes it", make_error_code(errc::lease_lost), remove("b").ec);
    expect_cursor(b, "after a refused removal", 4);
    const cursor_outcome gone = remove("a");
    expect_equal("the owner removes it", error_code{}, gone.ec);
    expect_equal("where it stood", std::uint64_t{4}, gone.at.offset);
    expect(!value("find_cursor()", b.reader().find_cursor("relay")), "a removed cursor is found");
    expect_equal("removing what is not there", error_code{}, remove("b").ec);
    expect(!value("find_cursor()", b.reader().find_cursor("relay")), "removing has made a cursor");
    const cursor_outcome again = b.write(move(b, "b"));
    expect_equal("taking it anew", error_code{}, again.ec);
    expect_equal("where it stands anew", std::uint64_t{0}, again.at.offset);
    b.advance(seconds(31));
    expect_equal("another removes one that expired", error_code{}, remove("c").ec);
    expect(!value("find_cursor()", b.reader().find_cursor("relay")), "a removed cursor is found");
}

void owner_renews_many_cursors(bench& b) {
    constexpr std::size_t count = 200;
    some_work(b, "f", 5);
    batch all;
    for (std::size_t i = 0; i < count; ++i) {
        commit_cursor one = move(b, "a", i % 5);
        one.name = "webhook/" + std::to_string(i);
        all.cursors.push_back(std::move(one));
    }
    b.write(all);
    b.advance(seconds(20));
    for (commit_cursor& it : all.cursors) {
        it.to.reset();
        it.expires_at = b.now() + seconds(30);
    }
    const auto renewed = b.write(all);
    b.advance(seconds(20));  // beyond the first hold, within the second
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& name = all.cursors[i].name;
        expect_equal("renewing " + name, error_code{}, renewed.cursors[i].ec);
        expect_equal(name + " stands", std::uint64_t{i % 5}, renewed.cursors[i].at.offset);
        commit_cursor other = move(b, "b");
        other.name = name;
        expect_equal("another takes " + name, make_error_code(errc::lease_lost), b.write(other).ec);
    }
}

constexpr entry feed_entries[] = {
    {"positions_have_no_gaps", "Offsets start at 1 and have no gaps.", positions_have_no_gaps},
    {"pages_of_the_feed_join", "The feed is the same whatever the size of its pages.",
     pages_of_the_feed_join},
    {"the_feed_and_histories_agree", "Feed and histories are one journal.",
     feed_and_histories_agree},
    {"an_unknown_position_resets",
     "Another epoch, or a position beyond the newest, is a reset; offset 0 never is.",
     unknown_position_resets},
    {"epochs_form_a_chain",
     "An entry keeps the epoch in which it was written; a position is valid within its epoch.",
     epochs_form_a_chain, capability::epochs},
    {"an_epoch_is_new", "An epoch that the journal had before is refused; one may stay empty.",
     an_epoch_is_new, capability::epochs},
};

constexpr entry cursor_entries[] = {
    {"a_cursor_is_taken_and_moved", "A cursor stands where its owner moved it.",
     cursor_is_taken_and_moved},
    {"a_cursor_has_one_owner", "While one holds a cursor, no other takes or moves it.",
     cursor_has_one_owner},
    {"a_cursor_expires", "A cursor whose hold has expired is taken as it is.", cursor_expires},
    {"a_cursor_is_let_go", "A cursor that was let go is taken as it is.", cursor_is_let_go},
    {"a_cursor_of_a_clock_ahead_is_taken",
     "A hold that a move names as expired ends, unless it has changed since.",
     cursor_of_a_clock_ahead_is_taken},
    {"cursors_are_apart", "Cursors and changes succeed or are refused each on its own.",
     cursors_are_apart},
    {"a_cursor_is_removed", "A cursor that was removed is gone; its name can be taken anew.",
     cursor_is_removed},
    {"an_owner_renews_many_cursors", "One write renews any number of cursors.",
     owner_renews_many_cursors},
    {"cursors_are_listed", "All cursors are listed, by name, if any can be.", cursors_are_listed},
};

}  // namespace

std::vector<storage_case> feed_cases() {
    return cases<feed_entries>();
}
std::vector<storage_case> cursor_cases() {
    return cases<cursor_entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
