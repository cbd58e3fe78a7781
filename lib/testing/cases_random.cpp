// The same random writes to the storage under test and to memory: the same answers.

#include "testing/kit.hpp"

#include <orderproc/memory.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

class memory_harness final : public storage_harness {
public:
    std::unique_ptr<storage> open() override { return make_memory_storage(); }
};

// A storage may skip numbers, but nothing else.
order without_number(order it) {
    it.number = 0;
    return it;
}

void expect_same_orders(std::string_view what, const std::optional<order>& expected,
                        const std::optional<order>& found) {
    expect_equal(std::string(what) + ": has an order", expected.has_value(), found.has_value());
    if (expected) expect_same(what, without_number(*expected), without_number(*found));
}

void expect_same_change(const change& what, const change_outcome& expected,
                        const change_outcome& found) {
    const std::string name = what.event + " of " + what.order;
    expect_equal(name, expected.ec, found.ec);
    expect_equal(name + ", replayed", expected.replayed, found.replayed);
    expect_same_orders(name, expected.after, found.after);
}

void expect_same_claim(const claim& what, const claim_outcome& expected,
                       const claim_outcome& found) {
    expect_equal("claimed", ids_of(expected.orders), ids_of(found.orders));
    for (std::size_t i = 0; i < expected.orders.size(); ++i) {
        const claimed_order& it = found.orders[i];
        expect_same("a claimed order", without_number(expected.orders[i].value),
                    without_number(it.value));
        expect_equal("its token", expected.orders[i].lease, it.lease);
        expect_equal("apart", expected.orders[i].apart, it.apart);
        expect_equal("traceparent", expected.orders[i].traceparent, it.traceparent);
    }
    expect_equal("failed by a claim", expected.failed, found.failed);
    expect_equal("released by a claim", expected.released, found.released);
    expect(expected.doubtful == found.doubtful, "other leases are doubted");
    const std::size_t touched = found.orders.size() + found.failed + found.released;
    if (!what.only.empty() || touched == what.limit) return;
    expect_equal("more", expected.more, found.more);
    if (!expected.more) expect_equal("next_due", expected.next_due, found.next_due);
}

// Makes writes up; knows what was claimed, so that it can finish it, rightly or too late.
class storm {
public:
    storm(bench& b, std::uint64_t seed) : b_(b), reference_(memory_), chance_(seed) {}

    void write() {
        const auto by = milliseconds(static_cast<std::int64_t>(roll(12'000)) - 1'000);
        b_.advance(by);
        reference_.advance(by);
        const batch what = make();
        const batch_outcome expected = reference_.write(what);
        const batch_outcome found = b_.write(what);
        for (std::size_t i = 0; i < what.changes.size(); ++i) {
            expect_same_change(what.changes[i], expected.changes[i], found.changes[i]);
        }
        for (std::size_t i = 0; i < what.claims.size(); ++i) {
            expect_same_claim(what.claims[i], expected.claims[i], found.claims[i]);
            for (const auto& it : expected.claims[i].orders) {
                held_.insert_or_assign(id_of(it.value), it);
            }
            for (const auto& it : expected.claims[i].doubtful) doubted_.push_back(it);
        }
        for (std::size_t i = 0; i < what.cursors.size(); ++i) {
            expect_equal("a cursor", expected.cursors[i].ec, found.cursors[i].ec);
            expect_equal("where it stands", expected.cursors[i].at.offset,
                         found.cursors[i].at.offset);
        }
    }

    void compare() {
        const auto expected = reference_.list({});
        const auto found = b_.list({});
        expect_equal("orders", ids_of(expected), ids_of(found));
        for (std::size_t i = 0; i < found.size(); ++i) {
            expect_same_orders("a row", expected[i], found[i]);
        }
        const auto journal = reference_.feed();
        const auto feed = b_.feed();
        expect_equal("entries", journal.size(), feed.size());
        const std::size_t from = std::min(compared_, feed.size());
        for (std::size_t i = from; i < feed.size(); ++i) {
            expect_equal("event of entry " + show(i + 1), journal[i].event, feed[i].event);
            expect_equal("actor of entry " + show(i + 1), journal[i].actor, feed[i].actor);
            expect_equal("reason of entry " + show(i + 1), journal[i].reason, feed[i].reason);
            expect_same_orders("entry " + show(i + 1), journal[i].after, feed[i].after);
        }
        compared_ = feed.size();
        expect_equal("completed", reference_.count().completed, b_.count().completed);
        expect_equal("processing time", reference_.count().processing_time,
                     b_.count().processing_time);
    }

private:
    std::uint64_t roll(std::uint64_t sides) { return chance_.next() % sides; }

    batch make() {
        batch out;
        const std::size_t size = roll(7);
        std::uint64_t id = roll(40);
        std::uint64_t key_name = roll(25);
        for (std::size_t i = 0; i < size; ++i) {
            id += 1 + roll(5);  // each order and key at most once
            change what = make_change("r" + std::to_string(id % 40));
            if (roll(4) == 0) what.version = order_version{1 + roll(6)};
            if (roll(4) == 0) what.user_id = static_cast<std::int64_t>(1 + roll(8));
            if (roll(3) == 0) {
                what.once = key(static_cast<std::uint8_t>(key_name++ % 25),
                                static_cast<std::uint8_t>(roll(2)));
            }
            out.changes.push_back(std::move(what));
        }
        for (std::uint64_t i = roll(3); i > 0; --i) out.claims.push_back(make_claim());
        if (roll(3) == 0) {
            out.cursors.push_back({"relay", roll(2) == 0 ? "a" : "b", {}, b_.now() + seconds(5)});
        }
        return out;
    }

    change make_change(const std::string& id) {
        const auto it = held_.find(id);
        if (it != held_.end() && roll(3) != 0) {
            switch (roll(5)) {
                case 0: {
                    const seconds time(roll(20));
                    change out = b_.release(it->second, b_.now() + time);
                    if (roll(2) == 0) std::get<move_order>(out.action).backoff = time;
                    return out;
                }
                case 1:
                    return b_.renew(it->second, b_.now() + seconds(roll(40)));
                case 2:
                    return b_.leave(it->second, "fail");
                default:
                    return b_.leave(it->second, "complete");
            }
        }
        switch (roll(10)) {
            case 0:
                return b_.edit(id, "{\"edited\":" + std::to_string(roll(100)) + "}");
            case 1:
                return b_.raise(id, "cancel", "no longer wanted");
            case 2:
                return b_.raise(id, "retry");
            case 3:
                return roll(4) == 0 ? b_.erase(id) : b_.raise(id, "fail", "by hand");
            default:
                return b_.create(id, static_cast<std::int64_t>(1 + roll(3)));
        }
    }

    claim make_claim() {
        claim out = b_.claim_of("w" + std::to_string(roll(3)), 1 + roll(4));
        out.lease = seconds(1 + roll(30));
        out.expires_at = b_.now() + out.lease;
        out.attempts_max = 3;
        out.backoff_max = seconds(roll(20));
        out.probe.limit = roll(2) * (1 + roll(3));
        if (roll(4) == 0) out.lease = {};  // unknown
        if (roll(3) == 0) out.expired = std::exchange(doubted_, {});
        if (out.expired.size() > out.limit) out.expired.resize(out.limit);
        if (roll(5) == 0) {
            out.only = {"r" + std::to_string(roll(40)), "r" + std::to_string(roll(40))};
        }
        return out;
    }

    bench& b_;
    memory_harness memory_;
    bench reference_;
    seeded_random chance_;
    std::map<std::string, claimed_order> held_;
    std::vector<doubtful_lease> doubted_;
    std::size_t compared_ = 0;
};

void random_writes(bench& b) {
    constexpr std::uint64_t seed = 61526;
    constexpr int writes = 600;
    storm both(b, seed);
    for (int i = 1; i <= writes; ++i) {
        try {
            both.write();
            if (i % 50 == 0) both.compare();
        } catch (broken& e) {
            e.what = "write " + show(i) + " of seed " + show(seed) + ": " + e.what;
            throw;
        }
    }
}

constexpr entry entries[] = {
    {"random_writes_answer_as_memory_does",
     "All storages give the same answers to the same writes (the reference is memory).",
     random_writes},
};

}  // namespace

std::vector<storage_case> random_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
