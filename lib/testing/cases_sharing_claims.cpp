// Workers of several processes that claim orders of one storage.

#include "testing/kit.hpp"
#include "testing/rounds.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

constexpr std::size_t workers = 4;
constexpr std::size_t orders_in_all = 1000;
constexpr std::size_t claimed_at_once = 16;

// A worker that completes in each write what it claimed in the one before, but for every seventh
// order, which it gives back; later it tries to complete that one, too.
class claimer {
public:
    explicit claimer(bench& b) : b_(b) {}

    std::string work(std::size_t who) {
        std::string said;
        if (std::exchange(first_, false) && who == 0) fill();
        batch all;
        const auto held = std::exchange(held_, {});
        const auto lost = std::exchange(given_back_, {});
        for (const claimed_order& it : held) {
            const bool gives_back = ++finished_ % 7 == 0;
            all.changes.push_back(gives_back ? b_.release(it, b_.now()) : b_.leave(it, "complete"));
            if (gives_back) given_back_.push_back(it);
        }
        const std::size_t own = all.changes.size();
        for (const claimed_order& it : lost) {
            const auto same = [&](const claimed_order& other) {
                return other.value.id == it.value.id;
            };
            if (std::none_of(held.begin(), held.end(), same)) {
                all.changes.push_back(b_.leave(it, "complete"));
            }
        }
        all.claims = {b_.claim_of(process_name(who), claimed_at_once)};
        b_.advance(milliseconds(1));
        batch_outcome out = write_beside_others(b_, all);
        for (std::size_t i = 0; i < all.changes.size(); ++i) {
            const change& it = all.changes[i];
            const std::string name = it.event + " of order " + it.order + " with token " +
                                     show(it.lease.value_or(lease_token{0}));
            if (i >= own) {
                expect_refused(name + ", which was given back before", errc::lease_lost,
                               out.changes[i]);
                continue;
            }
            expect_equal(name + ", by the worker that claimed it", error_code{}, out.changes[i].ec);
            if (it.event == "complete") said += "completed " + it.order + " 0 0\n";
        }
        held_ = std::move(out.claims.front().orders);
        for (const claimed_order& it : held_) {
            said += "claimed " + id_of(it.value) + " " + show(it.lease) + " " +
                    std::to_string(static_cast<std::uint64_t>(it.value.version)) + "\n";
        }
        return said;
    }

private:
    void fill() {
        for (std::size_t i = 0; i < orders_in_all;) {
            batch some;
            for (const std::size_t end = i + 250; i < end; ++i) {
                some.changes.push_back(b_.create("c" + std::to_string(i)));
            }
            write_beside_others(b_, some);
        }
    }

    bench& b_;
    bool first_ = true;
    std::size_t finished_ = 0;
    std::vector<claimed_order> held_;
    std::vector<claimed_order> given_back_;
};

// What the workers were given, together.
class claims_heard {
public:
    void hear(std::size_t who, const std::string& said) {
        std::istringstream from(said);
        std::string what, id;
        std::uint64_t token = 0, version = 0;
        while (from >> what >> id >> token >> version) {
            news_ = true;
            if (what == "completed") {
                const auto [was, first] = completed_.try_emplace(id, who);
                expect(first, "order " + id + " was completed twice: by " +
                                  process_name(was->second) + " and by " + process_name(who));
                continue;
            }
            ++claimed_;
            const auto [was, first] = tokens_[id].try_emplace(token, holder{who, version});
            expect(first, "order " + id + " was claimed twice with token " + show(token) + ": by " +
                              process_name(was->second.who) + " and by " + process_name(who));
        }
    }

    bool news() { return std::exchange(news_, false); }
    std::size_t claimed() const { return claimed_; }

    void expect_tokens_ascend() const {
        for (const auto& [id, tokens] : tokens_) {
            std::uint64_t version = 0;
            for (const auto& [token, by] : tokens) {
                expect(by.version > version, "order " + id + ": token " + show(token) +
                                                 " is not above that of an earlier claim");
                version = by.version;
            }
        }
    }

private:
    struct holder {
        std::size_t who;
        std::uint64_t version;  // of the order, as claimed
    };
    std::map<std::string, std::size_t> completed_;
    std::map<std::string, std::map<std::uint64_t, holder>> tokens_;
    std::size_t claimed_ = 0;
    bool news_ = false;
};

void expect_each_completed_once(bench& b, std::size_t claims) {
    std::map<std::string, int> completions;
    std::size_t starts = 0;
    for (const journal_entry& it : b.feed()) {
        starts += it.event == "start" ? 1 : 0;
        if (it.event == "complete") ++completions[id_of(it.after)];
    }
    for (const order& it : b.list({})) {
        expect_equal("completions of order " + id_of(it), 1, completions[id_of(it)]);
    }
    expect_equal("orders completed", orders_in_all, completions.size());
    expect_equal("orders started, of as many that were handed out", claims, starts);
    expect_equal("statistics::completed", std::uint64_t{orders_in_all}, b.count().completed);
}

void claim_is_nobody_elses(shared_case& of) {
    claims_heard heard;
    {
        process_group group(of, workers, [](bench& b, std::size_t who, channel& to_case) {
            answer_rounds(to_case, [who, it = claimer(b)]() mutable { return it.work(who); });
        });
        rounds all(group, workers,
                   [&](std::size_t who, const std::string& said) { heard.hear(who, said); });
        do {
            all.run();
            expect(all.count() < orders_in_all, "the work never ends");
        } while (heard.news());
        all.end();
    }
    heard.expect_tokens_ascend();
    bench b(of.harness);
    expect_each_completed_once(b, heard.claimed());
    b.check_invariants();
}

constexpr shared_entry entries[] = {
    {"a_claim_is_nobody_elses", "What one process has claimed, no other one is given.",
     claim_is_nobody_elses},
};

}  // namespace

std::vector<storage_case> sharing_claims_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
