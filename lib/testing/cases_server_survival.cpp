// Servers that die, or give way to another one, under writers, readers and watchers.

#include "testing/process_group.hpp"
#include "testing/server_kit.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

constexpr std::size_t writers = 2;
constexpr std::uint64_t creates_in_a_write = 3;
constexpr std::uint64_t writes_between = 5;  // of each writer, before and after what happens

std::string survivor_id(std::size_t who, std::uint64_t write, std::uint64_t i) {
    return "s" + std::to_string(who) + "-" + std::to_string(write) + "-" + std::to_string(i);
}

// From when it is told to, creates orders and completes some, until it is killed; says so each time
// a write was answered.
void write_for_ever(bench& b, std::size_t who, channel& to_case) {
    if (!to_case.receive()) return;
    const std::string name = "kit-survivor-" + std::to_string(who);
    b.sign_as(name);
    std::vector<claimed_order> held;
    for (std::uint64_t n = 0;; ++n) {
        batch all;
        for (const claimed_order& it : held) all.changes.push_back(b.leave(it, "complete"));
        for (std::uint64_t i = 0; i < creates_in_a_write; ++i) {
            all.changes.push_back(b.create(survivor_id(who, n, i)));
        }
        all.claims = {b.claim_of(name, 2)};
        batch_outcome out = write_until_certain(b, name, all);
        for (const change_outcome& it : out.changes) expect_ok("a change", it);
        held = std::move(out.claims.front().orders);
        to_case.send("answered");
    }
}

class survivors {
public:
    explicit survivors(server_under_test& of)
        : shared_{of.harness},
          group_(shared_, writers, write_for_ever),
          bench_(of.harness),
          answered_(writers) {
        of.storage_name = shared_.storage_name;
        for (std::size_t who = 0; who < writers; ++who) group_.tell(who, "begin");
        auto watch = bench_.orders().watch();
        if (is_supported(watch)) watch_ = value("watch()", std::move(watch));
    }

    // What happens, beside writes before and after it.
    void live_through(const std::function<bool()>& what, const char* cannot) {
        wait_for_writes();
        follow();
        if (!what()) throw case_skipped(cannot);
        connect_until_it_works(bench_);
        wait_for_writes();
        follow();
        expect_heard();
    }

    void end() {
        for (std::size_t who = 0; who < writers; ++who) group_.kill(who);
        while (const auto said = group_.next()) ++answered_[said->who];
        connect_until_it_works(bench_);
        // A writer that was killed may have been in the middle of something.
        batch last;
        last.changes = {bench_.create("last")};
        write_until_certain(bench_, bench::writer_name, last);
        follow();
        expect_each_created_once();
        bench_.check_invariants();
    }

    bench& own() { return bench_; }
    const std::vector<journal_entry>& followed() const { return seen_; }

private:
    void wait_for_writes() {
        auto wanted = answered_;
        for (std::uint64_t& it : wanted) it += writes_between;
        const auto missing = [&] {
            for (std::size_t who = 0; who < writers; ++who) {
                if (answered_[who] < wanted[who]) return true;
            }
            return false;
        };
        while (missing()) {
            const auto said = group_.next();
            if (!said) fail("a writer ended");
            ++answered_[said->who];
        }
    }

    // Goes on where it was, over whatever connections were lost.
    void follow() {
        while (true) {
            const feed_position at = seen_.empty() ? feed_position{} : seen_.back().position;
            auto page = bench_.reader().read_feed({at, 100});
            if (!page && page.error().code == errc::unavailable) {
                connect_until_it_works(bench_);
                continue;
            }
            feed_page found = value("read_feed()", std::move(page));
            expect(!found.reset,
                   "the feed resets a reader that has seen no more than was answered");
            if (found.entries.empty()) return;
            for (journal_entry& it : found.entries) {
                expect_equal("the position after entry " + show(seen_.size()), seen_.size() + 1,
                             it.position.offset);
                seen_.push_back(std::move(it));
            }
        }
    }

    // While the writers write.
    void expect_heard() {
        if (!watch_) return;
        for (int i = 0; i < 2; ++i) {
            const auto heard = value("wait()", watch_->wait(bench_.harness().silence_max()));
            expect(heard, "the watch hears nothing any more");
        }
    }

    // verify() compares what is in the journal with the orders.
    void expect_each_created_once() {
        std::map<std::string, int> created;
        for (const journal_entry& it : seen_) {
            if (it.event == "create") ++created[id_of(it.after)];
        }
        for (std::size_t who = 0; who < writers; ++who) {
            for (std::uint64_t n = 0; n < answered_[who]; ++n) {
                for (std::uint64_t i = 0; i < creates_in_a_write; ++i) {
                    const std::string id = survivor_id(who, n, i);
                    expect_equal(
                        "entries that create order " + id + ", of a write that was answered", 1,
                        created[id]);
                }
            }
        }
    }

    shared_case shared_;
    process_group group_;  // forked before anything is open
    bench bench_;
    std::unique_ptr<commit_watch> watch_;
    std::vector<std::uint64_t> answered_;  // writes of each writer
    std::vector<journal_entry> seen_;
};

void server_restarts(server_under_test& of) {
    survivors all(of);
    for (int i = 0; i < 2; ++i) {
        all.live_through([&] { return of.harness.restart(); },
                         "the harness cannot restart the server");
    }
    all.end();
}

// A position of the epoch before, which this journal has not gone through.
void expect_reset_beyond_the_fork(survivors& all) {
    const auto& seen = all.followed();
    const std::uint64_t before = seen.front().position.epoch;
    const auto fork = std::find_if(seen.begin(), seen.end(), [&](const journal_entry& it) {
        return it.position.epoch != before;
    });
    expect(fork != seen.end(), "the promoted server goes on in the epoch of the one before");
    const std::uint64_t first = fork->position.offset;
    repository_reader& reads = all.own().reader();
    const auto at_fork = value("read_feed()", reads.read_feed({{before, first - 1}, 1}));
    expect(!at_fork.reset, "the feed resets a reader that has seen all up to the fork");
    const auto beyond = value("read_feed()", reads.read_feed({{before, first}, 1}));
    expect(beyond.reset,
           "the feed does not reset a reader that has seen an entry which the "
           "promoted server never had");
}

// The server of before accepts connections, and does not know.
void expect_only_the_promoted(server_under_test& of, survivors& all) {
    for (int i = 0; i < 3; ++i) {
        connect_until_it_works(all.own());
        all.own().created("promoted-" + std::to_string(i));
        const auto other = of.harness.open();
        const auto reads = value("connecting", other->connect_reader());
        const std::vector<std::string> ids{"promoted-" + std::to_string(i)};
        expect(value("load()", reads->load({ids, {}})).orders.front().has_value(),
               "a storage that was opened after the promotion does not see what was written since");
    }
}

void standby_is_promoted(server_under_test& of) {
    if (!of.harness.add_standby()) throw case_skipped("the harness has no standby");
    survivors all(of);
    all.live_through([&] { return of.harness.fail_over(); },
                     "the harness cannot promote a standby");
    all.end();
    expect_reset_beyond_the_fork(all);
    expect_only_the_promoted(of, all);
    all.own().check_invariants();
}

constexpr server_entry entries[] = {
    {"the_server_restarts", "What was answered is there after the server was killed, once.",
     server_restarts},
    {"a_standby_is_promoted",
     "What was answered is there on a promoted standby, and readers of the feed go on.",
     standby_is_promoted},
};

}  // namespace

std::vector<server_case> server_survival_cases() {
    return server_cases_of<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
