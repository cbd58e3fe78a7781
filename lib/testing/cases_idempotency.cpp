// Idempotency keys, and whether a write was applied.

#include "testing/kit.hpp"

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

void expect_replay(std::string_view what, const order& first, const change_outcome& outcome) {
    expect_ok(what, outcome);
    expect(outcome.replayed, std::string(what) + ": done again instead of replayed");
    expect_same(what, first, outcome.after);
}

void replay_is_the_first_answer(bench& b) {
    const change create = with_key(b.create("K-1"), key(1, 1));
    const auto made = b.write(create);
    expect_ok("the first create", made);
    expect(!made.replayed, "the first use of a key is called a replay");
    const feed_position newest = b.newest();
    b.advance(seconds(10));
    expect_replay("the same create again", *made.after, b.write(create));
    expect_equal("the newest entry", newest, b.newest());
    expect_equal("orders", std::size_t{1}, b.list({}).size());
}

void replay_is_the_first_answer_after_later_changes(bench& b) {
    const change create = with_key(b.create("K-1"), key(1, 1));
    const order made = b.done(create);
    const change edit = with_key(b.edit("K-1", R"({"v":2})"), key(2, 1));
    b.advance(seconds(1));
    const order edited = b.done(edit);
    const order cancelled = b.done(b.raise("K-1", "cancel"));
    expect_replay("create, replayed", made, b.write(create));
    expect_replay("edit, replayed", edited, b.write(edit));
    expect_same("the order", cancelled, b.find("K-1"));
    b.done(b.erase("K-1"));
    expect_replay("create, replayed after the delete", made, b.write(create));
    expect(!b.find("K-1"), "a replay brought a deleted order back");
}

void delete_is_replayed(bench& b) {
    b.created("K-1");
    const change remove = with_key(b.erase("K-1"), key(1, 1));
    const order gone = b.done(remove);
    expect_replay("delete, replayed", gone, b.write(remove));
}

void success_without_an_entry_is_replayed(bench& b) {
    b.created("K-1");
    const change retry = with_key(b.raise("K-1", "retry"), key(1, 1));
    const order same = b.done(retry);
    expect_equal("version", order_version{1}, same.version);
    b.done(b.raise("K-1", "cancel"));
    expect_replay("retry, replayed", same, b.write(retry));
}

void key_with_another_body_is_refused(bench& b) {
    const order made = b.done(with_key(b.create("K-1"), key(1, 1)));
    for (const change& what :
         {with_key(b.create("K-2"), key(1, 2)), with_key(b.raise("K-1", "cancel"), key(1, 2))}) {
        expect_refused(what.event + " with a used key", errc::idempotency_mismatch, b.write(what));
    }
    expect(!b.find("K-2"), "a create with a used key was done");
    expect_same("the order", made, b.find("K-1"));
    b.done(with_key(b.create("K-2"), key(2, 2)));
}

void keys_differ_in_every_byte(bench& b) {
    idempotency first = key(0, 0);
    b.done(with_key(b.create("K-0"), first));
    for (const std::size_t i : {0U, 7U, 8U, 15U}) {
        idempotency other = first;
        other.key[i] = std::byte{0xff};
        b.done(with_key(b.create("K-" + std::to_string(i + 1)), other));
        other = first;
        other.body[i] = std::byte{0xff};
        expect_refused("the key with another body", errc::idempotency_mismatch,
                       b.write(with_key(b.create("K-0"), other)));
    }
}

void refused_change_stores_no_key(bench& b) {
    b.created("K-1");
    const claimed_order held = b.claimed("K-1");
    const change cancel = with_key(b.raise("K-1", "cancel"), key(1, 1));
    expect_refused("cancel of an order at work", errc::transition_rejected, b.write(cancel));
    b.done(b.release(held, b.now()));
    const auto done = b.write(cancel);
    expect_ok("cancel when it is allowed", done);
    expect(!done.replayed, "a refusal was replayed");

    expect_refused("a duplicate with a key", errc::already_exists,
                   b.write(with_key(b.create("K-1"), key(2, 1))));
    const auto other = b.write(with_key(b.create("K-2"), key(2, 2)));
    expect_ok("a key that only a refused change used, with another body", other);
    expect(!other.replayed, "a new create is called a replay");
}

void key_is_looked_up_before_the_state(bench& b) {
    const order made = b.done(with_key(b.create("K-1"), key(1, 1)));
    change edit = with_key(b.edit("K-1", "{}"), key(2, 2));
    edit.version = made.version;
    const order edited = b.done(edit);
    b.done(b.raise("K-1", "cancel"));
    expect_replay("edit of a version that has passed", edited, b.write(edit));
    expect_replay("a create of an id that is taken", made,
                  b.write(with_key(b.create("K-1"), key(1, 1))));
}

void key_is_looked_up_by_itself(bench& b) {
    const auto look_up = [](std::string id, idempotency by) {
        change out;
        out.order = std::move(id);
        out.event = "look_up";
        out.action = look_up_key{};
        return with_key(std::move(out), by);
    };
    const order made = b.done(with_key(b.create("K-1"), key(1, 1)));
    const order other = b.created("K-2");
    const feed_position newest = b.newest();
    expect_replay("a key that is known", made, b.write(look_up("?", key(1, 1))));
    expect_replay("beside another order", made, b.write(look_up("K-2", key(1, 1))));
    const change_outcome known = b.write(look_up("K-2", key(2, 2)));
    expect_refused("an unknown key beside an order", errc::version_conflict, known);
    expect_same("the order", other, known.after);
    expect_refused("an unknown key", errc::not_found, b.write(look_up("?", key(2, 2))));
    expect_refused("a key with another body", errc::idempotency_mismatch,
                   b.write(look_up("?", key(1, 2))));
    expect_same("the order afterwards", other, b.found("K-2"));
    expect_equal("the end of the journal", newest, b.newest());
    // A look-up does not use the key.
    b.done(with_key(b.create("K-3"), key(2, 2)));
}

void replays_and_new_changes_share_a_batch(bench& b) {
    const change first = with_key(b.create("K-1"), key(1, 1));
    const order made = b.done(first);
    const auto outcomes =
        b.write({with_key(b.create("K-2"), key(2, 1)), first, with_key(b.create("K-3"), key(3, 1)),
                 with_key(b.create("K-1"), key(4, 1))});
    expect_ok("the new one", outcomes[0]);
    expect_replay("the replay", made, outcomes[1]);
    expect_ok("the one after it", outcomes[2]);
    expect_refused("the duplicate", errc::already_exists, outcomes[3]);
    expect_replay("a key of the batch", *outcomes[2].after,
                  b.write(with_key(b.create("K-3"), key(3, 1))));
}

void was_applied_knows_the_last_write(bench& b) {
    const auto applied = [&b](std::string_view writer, std::uint64_t sequence) {
        auto fresh = value("connecting", b.orders().connect_writer());
        return value("was_applied()", fresh->was_applied(writer, sequence));
    };
    b.close_writer();
    expect(!applied("kit", 1), "a writer that never wrote has written 1");
    b.open_writer();
    b.created("W-1");
    b.created("W-2");
    const std::uint64_t last = b.sequence();
    b.close_writer();
    expect(applied("kit", last), "the last write was not applied");
    expect(!applied("kit", last + 1), "a write to come was applied");
    expect(!applied("kit", last - 1), "equal means equal: an earlier sequence was applied");
    expect(!applied("kit2", last), "another writer's sequence was applied");
    expect(!applied("ki", last), "another writer's sequence was applied");
    b.open_writer();
}

// Writes with that much to forget.
void write_forgetting(bench& b, change what, timestamp before, std::size_t most) {
    change_outcome outcome;
    write_params params;
    params.now = b.now();
    params.changes = {&what, 1};
    params.writer = "forgetful";
    params.sequence = 1;
    params.forget_before = before;
    params.forget_max = most;
    write_results results;
    results.changes = {&outcome, 1};
    auto ok = b.writer().write(params, results);
    if (!ok) fail("write() failed: " + ok.error().message());
    expect_ok("a change while keys are forgotten", outcome);
}

void old_keys_are_forgotten(bench& b) {
    constexpr std::uint8_t old_keys = 5;
    for (std::uint8_t i = 1; i <= old_keys; ++i) {
        b.done(with_key(b.create("K-" + std::to_string(i)), key(i, 1)));
    }
    b.advance(seconds(10));
    const timestamp before = b.now();
    const order young = b.done(with_key(b.create("K-9"), key(9, 1)));
    write_forgetting(b, b.create("X-1"), before, 2);
    const auto replays = [&b] {
        int out = 0;
        for (std::uint8_t i = 1; i <= old_keys; ++i) {
            // The id is taken: a key that is forgotten cannot make the order again.
            out +=
                b.write(with_key(b.create("K-" + std::to_string(i)), key(i, 1))).replayed ? 1 : 0;
        }
        return out;
    };
    const int left = replays();
    expect(left >= old_keys - 2, "a write forgot more keys than it was to");
    expect_refused("the oldest key, used again", errc::already_exists,
                   b.write(with_key(b.create("K-1"), key(1, 1))));
    write_forgetting(b, b.create("X-2"), before, 100);
    write_forgetting(b, b.create("X-3"), before, 100);
    expect_equal("keys left of those to forget", 0, replays());
    expect_replay("a key that is not old", young, b.write(with_key(b.create("K-9"), key(9, 1))));
    b.done(with_key(b.create("K-10"), key(1, 7)));  // free for another body
}

void young_keys_are_kept(bench& b) {
    const order made = b.done(with_key(b.create("K-1"), key(1, 1)));
    write_forgetting(b, b.create("X-1"), b.now(), 100);  // before: it is not
    expect_replay("a key of this moment", made, b.write(with_key(b.create("K-1"), key(1, 1))));
    b.advance(seconds(10));
    write_forgetting(b, b.create("X-2"), b.now(), 0);
    expect_replay("an old key with nothing to forget", made,
                  b.write(with_key(b.create("K-1"), key(1, 1))));
}

void keys_of_a_clock_ahead_are_forgotten(bench& b) {
    constexpr seconds kept = std::chrono::hours(72);
    constexpr seconds a_year = std::chrono::hours(24 * 365);
    const auto forget = [&](const char* id) {
        write_forgetting(b, b.create(id), b.now() - kept, 100);
    };
    b.advance(a_year);
    const order first = b.done(with_key(b.create("K-1"), key(1, 1)));
    b.advance(-a_year);
    const order second = b.done(with_key(b.create("K-2"), key(2, 1)));
    forget("X-1");
    forget("X-2");
    b.advance(kept - seconds(1));
    forget("X-3");
    expect_replay("a key within its time", first, b.write(with_key(b.create("K-1"), key(1, 1))));
    expect_replay("another one", second, b.write(with_key(b.create("K-2"), key(2, 1))));
    b.advance(seconds(10));
    forget("X-4");
    forget("X-5");
    expect_refused("a key of a clock ahead, after its time", errc::already_exists,
                   b.write(with_key(b.create("K-1"), key(1, 1))));
    expect_refused("a key made after it, after its time", errc::already_exists,
                   b.write(with_key(b.create("K-2"), key(2, 1))));
}

void old_writers_are_forgotten(bench& b) {
    b.created("W-1");
    const std::uint64_t sequence = b.sequence();
    const auto applied = [&b](std::string_view writer, std::uint64_t last) {
        return value("was_applied()", b.writer().was_applied(writer, last));
    };
    write_forgetting(b, b.create("X-1"), b.now(), 100);
    expect(applied(bench::writer_name, sequence), "a writer heard of at this moment is forgotten");
    b.advance(seconds(10));
    b.close_writer();  // once for each connection is enough: writers come with processes
    b.open_writer();
    write_forgetting(b, b.create("X-2"), b.now(), 100);
    expect(!applied(bench::writer_name, sequence), "a writer not heard of since is remembered");
    expect(applied("forgetful", 1), "the writer of the write that forgets is forgotten");
}

void changes_say_what_they_journaled(bench& b) {
    const auto expect_journaled = [&b](const char* what, bool expected, const change& it) {
        const std::uint64_t before = b.newest().offset;
        const auto outcome = b.write(it);
        expect_equal(std::string("journaled of ") + what, expected, outcome.journaled);
        expect_equal(std::string("entries of ") + what, std::uint64_t{expected ? 1U : 0U},
                     b.newest().offset - before);
    };
    const change create = with_key(b.create("J"), key(1, 1));
    expect_journaled("a create", true, create);
    expect_journaled("a replay", false, create);
    expect_journaled("a refused create", false, b.create("J"));
    expect_journaled("an edit", true, b.edit("J", "{}"));
    const claimed_order held = b.claimed("J");
    expect_journaled("a renewal", false, b.renew(held, b.now() + seconds(60)));
    expect_journaled("a release", true, b.release(held, b.now()));
    expect_journaled("a cancel", true, b.raise("J", "cancel"));
    expect_journaled("a cancel of what is cancelled", false, b.raise("J", "cancel"));
    expect_journaled("a delete", true, b.erase("J"));
}

void each_writer_has_its_sequence(bench& b) {
    // Something in each: a write that changes nothing need not be remembered.
    const auto write = [&b](std::string_view writer, std::uint64_t sequence) {
        const change what = b.create("W-" + std::string(writer) + std::to_string(sequence));
        change_outcome outcome;
        write_params params;
        params.now = b.now();
        params.changes = {&what, 1};
        params.writer = writer;
        params.sequence = sequence;
        write_results results;
        results.changes = {&outcome, 1};
        auto ok = b.writer().write(params, results);
        if (!ok) fail("write() failed: " + ok.error().message());
    };
    write("a", 7);
    write("b", 8);
    const auto applied = [&b](std::string_view writer, std::uint64_t sequence) {
        return value("was_applied()", b.writer().was_applied(writer, sequence));
    };
    expect(applied("a", 7), "writer a's last write was not applied");
    expect(applied("b", 8), "writer b's last write was not applied");
    expect(!applied("a", 8), "writer a is said to have written what writer b wrote");
    write("a", 0xffff'ffff'ffffU);
    expect(applied("a", 0xffff'ffff'ffffU), "a large sequence is not found again");
    expect(!applied("a", 7), "an earlier sequence was applied");
}

constexpr entry entries[] = {
    {"old_keys_are_forgotten", "A write forgets up to forget_max keys older than forget_before.",
     old_keys_are_forgotten},
    {"young_keys_are_kept", "A key that is not older than forget_before is kept.",
     young_keys_are_kept},
    {"keys_of_a_clock_ahead_are_forgotten",
     "A key is kept for its time, and no longer, whatever clock it was stored by.",
     keys_of_a_clock_ahead_are_forgotten},
    {"old_writers_are_forgotten", "Writers not heard of since forget_before are forgotten.",
     old_writers_are_forgotten},
    {"changes_say_what_they_journaled", "journaled tells whether a change made an entry.",
     changes_say_what_they_journaled},
    {"a_replay_is_the_first_answer", "A key seen before does nothing and answers as at first.",
     replay_is_the_first_answer},
    {"a_replay_is_the_first_answer_after_later_changes",
     "A replay shows the order as the first change left it, whatever came later.",
     replay_is_the_first_answer_after_later_changes},
    {"a_delete_is_replayed", "A delete with a key is replayed like any change.",
     delete_is_replayed},
    {"a_success_without_an_entry_is_replayed",
     "A change that succeeded without changing anything is replayed like any other.",
     success_without_an_entry_is_replayed},
    {"a_key_with_another_body_is_refused", "A key belongs to one body.",
     key_with_another_body_is_refused},
    {"keys_differ_in_every_byte", "Keys and bodies are compared in all their bytes.",
     keys_differ_in_every_byte},
    {"a_refused_change_stores_no_key", "Only a change that succeeded stores its key.",
     refused_change_stores_no_key},
    {"a_key_is_looked_up_before_the_state", "First the idempotency key, then evaluate().",
     key_is_looked_up_before_the_state},
    {"a_key_is_looked_up_by_itself",
     "look_up_key answers what a key was used for, and changes nothing if it is unknown.",
     key_is_looked_up_by_itself},
    {"replays_and_new_changes_share_a_batch", "A replay does not disturb its batch.",
     replays_and_new_changes_share_a_batch},
    {"was_applied_knows_the_last_write",
     "was_applied() is true for the writer's last durable write and no other.",
     was_applied_knows_the_last_write},
    {"each_writer_has_its_sequence", "was_applied() keeps writers apart.",
     each_writer_has_its_sequence},
};

}  // namespace

std::vector<storage_case> idempotency_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
