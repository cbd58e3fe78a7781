// Several processes that write to one storage, and one that reads beside them. Those that claim:
// cases_sharing_claims.cpp.

#include "testing/kit.hpp"
#include "testing/rounds.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

constexpr int rounds_max = 24;

// What a process was answered. Sent as a line of text.
struct answer {
    std::string asked;  // what several processes asked for
    std::string id;
    int ec = 0;
    bool replayed = false;
    bool journaled = false;
    std::int64_t number = 0;
    std::uint64_t version = 0;

    error_code code() const {
        return ec == 0 ? error_code{} : error_code(ec, orderproc_category());
    }
};

std::string to_line(const std::string& asked, const change& what, const change_outcome& outcome) {
    std::ostringstream line;
    const order after = outcome.after.value_or(order{});
    line << asked << ' ' << (after.id.empty() ? what.order : id_of(after)) << ' '
         << outcome.ec.value() << ' ' << outcome.replayed << ' ' << outcome.journaled << ' '
         << after.number << ' ' << static_cast<std::uint64_t>(after.version) << '\n';
    return line.str();
}

// Reads a line of those that a process said.
bool read(std::istream& from, answer& out) {
    return static_cast<bool>(from >> out.asked >> out.id >> out.ec >> out.replayed >>
                             out.journaled >> out.number >> out.version);
}

// Two writers take turns.

constexpr std::size_t writers = 3;
constexpr int of_each = 6;

std::string shared_id(int round, int i) {
    return "s" + std::to_string(round) + "-" + std::to_string(i);
}

// All writers ask for the same: to create an order, to create one (under an id of their own) with
// the same idempotency key, and to edit the first version of an order.
std::string write_shared(bench& b, std::size_t who, int round) {
    std::vector<std::string> asked;
    batch all;
    const auto add = [&](std::string what, change it) {
        asked.push_back(std::move(what));
        all.changes.push_back(std::move(it));
    };
    for (int step = 0; step < of_each; ++step) {
        const int i = who % 2 == 0 ? step : of_each - 1 - step;  // not all in the same order
        const std::string id = shared_id(round, i);
        const std::string own = "k" + id.substr(1) + "-" + std::to_string(who);
        const auto key_name = static_cast<std::uint8_t>(round * of_each + i);
        add("create:" + id, b.create(id));
        add("key:" + std::to_string(key_name), with_key(b.create(own), key(key_name, 1)));
        if (round == 0) continue;
        const std::string before = shared_id(round - 1, i);
        change edit = b.edit(before, "{\"by\":" + std::to_string(who) + "}");
        edit.version = order_version{1};
        add("edit:" + before, std::move(edit));
    }
    b.advance(milliseconds(1));
    const batch_outcome out = write_beside_others(b, all);
    const bool changed = std::any_of(out.changes.begin(), out.changes.end(),
                                     [](const change_outcome& it) { return it.journaled; });
    // A write that changed nothing need not be remembered.
    std::string said = std::to_string(changed ? b.sequence() : 0) + "\n";
    for (std::size_t i = 0; i < asked.size(); ++i) {
        said += to_line(asked[i], all.changes[i], out.changes[i]);
    }
    return said;
}

// What the processes were answered, together: each thing that all ask for is done once.
class shared_answers {
public:
    void hear(std::size_t who, const std::string& said) {
        std::istringstream from(said);
        from >> sequences[who];
        for (answer it; read(from, it);) judge(who, it);
    }

    // A replay may be heard before what it repeats.
    void expect_same_replays() {
        for (const answer& it : replays_) {
            const auto was = winners_.find(it.asked);
            expect(was != winners_.end(), it.asked + " was replayed, and nobody did it");
            const answer& first = was->second.said;
            expect_equal(it.asked + ", the order of a replay", first.id, it.id);
            expect_equal(it.asked + ", the number of a replay", first.number, it.number);
            expect_equal(it.asked + ", the version of a replay", first.version, it.version);
        }
        replays_.clear();
    }

    void expect_one_each() const {
        for (const auto& [asked, count] : answers_) {
            expect_equal("answers to " + asked, writers, count);
            expect(winners_.contains(asked),
                   asked + ": none of " + show(count) + " processes was told that it did it");
        }
    }

    std::size_t done() const { return winners_.size(); }
    std::map<std::size_t, std::uint64_t> sequences;  // of each last write; 0: not remembered

private:
    struct winner {
        std::size_t who;
        answer said;
    };

    void judge(std::size_t who, const answer& it) {
        ++answers_[it.asked];
        if (it.ec == 0 && it.journaled && !it.replayed) {
            const auto [was, is_first] = winners_.try_emplace(it.asked, winner{who, it});
            if (!is_first) {
                fail(it.asked + ", which all of them ask for, was done twice: by " +
                     process_name(was->second.who) + " (order " + was->second.said.id +
                     ") and by " + process_name(who) + " (order " + it.id + ")");
            }
        } else if (it.asked.starts_with("key:")) {
            expect_equal(it.asked + ", a key that others use, too", error_code{}, it.code());
            replays_.push_back(it);
        } else {
            const errc expected =
                it.asked.starts_with("create:") ? errc::already_exists : errc::version_conflict;
            expect_equal(it.asked + ", which another process has done", make_error_code(expected),
                         it.code());
        }
    }

    std::map<std::string, winner> winners_;
    std::map<std::string, std::size_t> answers_;
    std::vector<answer> replays_;
};

void expect_one_journal(bench& b, std::size_t changes_done) {
    const auto entries = b.feed();
    std::set<std::string> created;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const journal_entry& it = entries[i];
        const std::string at = "entry " + show(i + 1);
        expect_equal(at + ", its position", i + 1, it.position.offset);
        expect(i == 0 || entries[i - 1].at <= it.at,
               at + ": its time is before that of the entry before it");
        if (it.event != "create") continue;
        expect(created.insert(id_of(it.after)).second,
               at + ": order " + id_of(it.after) + " is created a second time");
    }
    expect_equal("entries, of as many changes that were answered as done", changes_done,
                 entries.size());
}

void two_writers_take_turns(shared_case& of) {
    shared_answers heard;
    {
        process_group group(of, writers, [](bench& b, std::size_t who, channel& to_case) {
            b.advance(seconds(3 * who));  // the clocks of hosts differ
            answer_rounds(to_case,
                          [&, round = 0]() mutable { return write_shared(b, who, round++); });
        });
        rounds all(group, writers,
                   [&](std::size_t who, const std::string& said) { heard.hear(who, said); });
        while (all.count() < rounds_max) {
            all.run();
            heard.expect_same_replays();
            heard.expect_one_each();
        }
        all.end();
    }
    bench b(of.harness);
    expect_one_journal(b, heard.done());
    for (const auto& [who, sequence] : heard.sequences) {
        const std::string name = "kit-" + std::to_string(who + 1);
        expect(sequence == 0 || value("was_applied()", b.writer().was_applied(name, sequence)),
               "was_applied() has forgotten the last write of " + process_name(who));
    }
    b.check_invariants();
}

// Nothing appears late.

// Follows the feed and the lists, and expects that what it has seen stays as it was: whatever is
// new comes after it.
class follower {
public:
    explicit follower(bench& b) : b_(b) {}

    void look() {
        follow_feed();
        expect_same_past();
        follow_list();
        expect_same_lists();
    }

private:
    void follow_feed() {
        while (true) {
            const feed_page page = value("read_feed()", b_.reader().read_feed({at_, 7}));
            expect(!page.reset, "the feed resets a reader that follows it");
            if (page.entries.empty()) return;
            for (const journal_entry& it : page.entries) {
                expect(it.position.offset == at_.offset + 1,
                       "the feed goes on with entry " + show(it.position.offset) + " after entry " +
                           show(at_.offset) + ": what appears between them later is never read");
                seen_.push_back(name_of(it));
                at_ = it.position;
            }
        }
    }

    // The last entries, read once more.
    void expect_same_past() {
        constexpr std::size_t size = 100;
        const std::size_t from = seen_.size() - std::min(seen_.size(), size);
        const feed_params past{{at_.epoch, from}, seen_.size() - from};
        const feed_page page = value("read_feed()", b_.reader().read_feed(past));
        expect_equal("entries up to a position that was returned", seen_.size() - from,
                     page.entries.size());
        for (std::size_t i = 0; i < page.entries.size(); ++i) {
            expect_equal("entry " + show(from + i + 1) + ", which was returned before",
                         seen_[from + i], name_of(page.entries[i]));
        }
    }

    // Upwards, going on after the last order that a page has shown.
    void follow_list() {
        list_params params;
        params.descending = false;
        params.limit = 5;
        params.after = last_;
        for (const order& it : b_.list(params)) {
            listed_.push_back(id_of(it));
            last_ = {it.created_at, it.number};
        }
    }

    void expect_same_lists() {
        list_params params;
        params.limit = 11;
        auto downwards = ids_of(b_.list(params));
        std::reverse(downwards.begin(), downwards.end());
        expect_begins("the pages of the list downwards, read from their end", downwards);
        params.descending = false;
        expect_begins("the pages of the list upwards", ids_of(b_.list(params)));
    }
    void expect_begins(const std::string& what, const std::vector<std::string>& found) {
        for (std::size_t i = 0; i < listed_.size(); ++i) {
            const std::string at = i < found.size() ? found[i] : "nothing";
            expect(at == listed_[i], what + ": expected order " + listed_[i] + " at place " +
                                         show(i + 1) + ", as a page has shown it before, found " +
                                         at);
        }
        expect(std::set(found.begin(), found.end()).size() == found.size(),
               what + ": an order is there twice");
    }

    static std::string name_of(const journal_entry& it) {
        return it.event + " of " + id_of(it.after) + " at version " +
               std::to_string(static_cast<std::uint64_t>(it.version));
    }

    bench& b_;
    feed_position at_;
    std::optional<list_position> last_;
    std::vector<std::string> seen_;    // entries
    std::vector<std::string> listed_;  // ids
};

std::string write_own(bench& b, std::size_t who, int round) {
    batch all;
    for (int i = 0; i < 2 * of_each; ++i) {
        all.changes.push_back(b.create("w" + std::to_string(who) + "-" + std::to_string(round) +
                                       "-" + std::to_string(i)));
    }
    b.advance(milliseconds(1));
    for (const change_outcome& it : write_beside_others(b, all).changes) expect_ok("a create", it);
    return {};
}

void nothing_appears_late(shared_case& of) {
    constexpr std::size_t own_writers = 2;
    {
        process_group group(of, own_writers + 1, [](bench& b, std::size_t who, channel& to_case) {
            if (who < own_writers) {
                b.advance(seconds(3 * who));
                return answer_rounds(
                    to_case, [&, round = 0]() mutable { return write_own(b, who, round++); });
            }
            answer_rounds(to_case, [&, reads = follower(b)]() mutable {
                reads.look();
                return std::string();
            });
        });
        rounds all(group, own_writers, [](std::size_t, const std::string&) {});
        while (all.count() < rounds_max) all.run();
        all.end();
    }
    bench b(of.harness);
    expect_one_journal(b, rounds_max * own_writers * 2 * of_each);
    b.check_invariants();
}

constexpr shared_entry entries[] = {
    {"two_writers_take_turns",
     "Writes of several processes look as if they came one after the other.",
     two_writers_take_turns},
    {"nothing_appears_late",
     "While several processes write, nothing appears in the feed or in a list at or before a "
     "place that was returned.",
     nothing_appears_late},
};

}  // namespace

std::vector<storage_case> sharing_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
