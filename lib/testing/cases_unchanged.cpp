// What a write that changes nothing answers, and that it leaves nothing behind.

#include "testing/kit.hpp"

#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

void mismatch_shows_no_order(bench& b) {
    b.done(with_key(b.create("U-1"), key(1, 1)));
    b.created("U-2");
    const std::vector<std::pair<std::string, change>> reuses{
        {"a create of the order that the key was used for", b.create("U-1")},
        {"a create of a new order", b.create("U-3")},
        {"an edit of another order", b.edit("U-2", "{}")},
        {"a cancel of the order that the key was used for", b.raise("U-1", "cancel")},
        {"a delete of an order that is not there", b.erase("U-4")},
    };
    for (const auto& [name, what] : reuses) {
        const std::string with = name + ", with the key but another body";
        const change_outcome outcome = b.write(with_key(what, key(1, 2)));
        expect_refused(with, errc::idempotency_mismatch, outcome);
        expect(!outcome.after, with + ": idempotency_mismatch came with order " +
                                   (outcome.after ? id_of(*outcome.after) : "") +
                                   "; the key may be somebody else's, so no order is shown");
    }
}

// Writes that change nothing, each with what is to be said of it.
std::vector<std::pair<std::string, batch>> idle_writes(bench& b, const order& stale) {
    const change replayed = with_key(b.create("U-2"), key(1, 1));
    b.done(replayed);
    b.done(b.raise("U-2", "cancel"));
    b.write(commit_cursor{"relay", "kit", {}, b.now() + std::chrono::hours(24)});
    change edit = b.edit("U-1", "{}");
    edit.version = stale.version;
    claim named = b.claim_of("w");
    named.only = {"U-9"};
    const commit_cursor taken{"relay", "another", {}, b.now() + std::chrono::hours(24)};
    return {
        {"a create that was refused with already_exists", {{b.create("U-1")}, {}, {}}},
        {"a cancel that was refused with not_found", {{b.raise("U-9", "cancel")}, {}, {}}},
        {"an edit that was refused with version_conflict", {{edit}, {}, {}}},
        {"a create that was refused with idempotency_mismatch",
         {{with_key(b.create("U-3"), key(1, 2))}, {}, {}}},
        {"a replay", {{replayed}, {}, {}}},
        {"a cancel of a cancelled order", {{b.raise("U-2", "cancel")}, {}, {}}},
        {"a claim of an order that is not there", {{}, {named}, {}}},
        {"a claim of nothing", {{}, {b.claim_of("w", 0)}, {}}},
        {"a cursor that was refused with lease_lost", {{}, {}, {taken}}},
        {"a write without anything in it", {}},
    };
}

void write_that_changes_nothing_moves_no_time(bench& b) {
    const order first = b.created("U-1");
    b.done(b.edit("U-1", R"({"v":2})"));
    int orders = 0;
    for (const auto& [name, what] : idle_writes(b, first)) {
        // An hour ahead, and then back: only what is recorded keeps the time where it was.
        b.advance(std::chrono::hours(1));
        b.write(what);
        b.advance(-std::chrono::hours(1) + seconds(1));
        const order next = b.created("U-N" + std::to_string(++orders));
        expect_equal("created_at of the first order after " + name + ", which had the time " +
                         show(b.now() + std::chrono::hours(1) - seconds(1)),
                     b.now(), next.created_at);
    }
}

constexpr entry entries[] = {
    {"a_mismatch_shows_no_order", "A refusal with idempotency_mismatch comes without an order.",
     mismatch_shows_no_order},
    {"a_write_that_changes_nothing_moves_no_time",
     "Only a write that changes something sets the time before which nothing later is recorded.",
     write_that_changes_nothing_moves_no_time},
};

}  // namespace

std::vector<storage_case> unchanged_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
