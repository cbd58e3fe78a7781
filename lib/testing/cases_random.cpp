// The same random writes to the storage under test and to memory: the same answers.

#include "testing/kit.hpp"
#include "testing/random_model.hpp"

#include <orderproc/memory.hpp>

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

// Says of two that differ which rule an adapter may have missed, where the difference tells.
std::string hint(const order& expected, const order& found) {
    if (expected.updated_at == found.updated_at) return {};
    return "\n  (a change is recorded at its own time or at the latest that was recorded before, "
           "whichever is later; a write that changes nothing moves no time)";
}

std::string show_outcome(const change_outcome& it) {
    std::string out = it.ec ? "refused with " + show(it.ec) : "success";
    if (it.replayed) out += ", replayed";
    if (!it.after) return out + ", without an order";
    return out + ", with order " + id_of(*it.after) + " (" + show(it.after->status) + ", version " +
           show(it.after->version) + ")";
}

std::string show_change(const change& it) {
    std::string out = it.event + " of order " + it.order;
    if (it.version) out += ", if it has version " + show(*it.version);
    if (it.scope.user) out += ", for user " + show(*it.scope.user);
    if (it.scope.tenant) out += ", for tenant " + show(*it.scope.tenant);
    if (it.lease) out += ", with lease " + show(*it.lease);
    if (it.idempotency_key) {
        out += ", with idempotency key " + show(std::to_integer<int>(it.idempotency_key->key[0])) +
               " and body " + show(std::to_integer<int>(it.idempotency_key->body[0]));
    }
    return out;
}

std::string show_claim(const claim& it) {
    std::string out = "claim of " + show(it.limit) + " by " + it.worker_id;
    return it.only.empty() ? out : out + ", only of " + show(it.only);
}

void expect_same_orders(const std::string& what, const order& expected, const order& found) {
    const order want = without_number(expected), is = without_number(found);
    if (const auto why = orderproc::detail::order_difference(want, is); !why.empty()) {
        fail(what + ", order " + id_of(expected) + ", " + why + hint(expected, found));
    }
}

void expect_same_change(const change& what, const change_outcome& expected,
                        const change_outcome& found) {
    const std::string name = show_change(what);
    if (expected.ec != found.ec || expected.replayed != found.replayed ||
        expected.after.has_value() != found.after.has_value()) {
        fail(name + ": expected " + show_outcome(expected) + "; found " + show_outcome(found));
    }
    if (expected.after) {
        expect_same_orders(name + ": " + show_outcome(expected), *expected.after, *found.after);
    }
}

void expect_same_claim(const claim& what, const claim_outcome& expected,
                       const claim_outcome& found) {
    const std::string name = show_claim(what) + ": ";
    expect_equal(name + "claimed", ids_of(expected.orders), ids_of(found.orders));
    for (std::size_t i = 0; i < expected.orders.size(); ++i) {
        const claimed_order& it = found.orders[i];
        expect_same_orders(name + "a claimed order", expected.orders[i].value, it.value);
        const std::string of = name + "of order " + id_of(it.value) + ", ";
        expect_equal(of + "the token", expected.orders[i].lease, it.lease);
        expect_equal(of + "apart", expected.orders[i].isolated, it.isolated);
        expect_equal(of + "traceparent", expected.orders[i].traceparent, it.traceparent);
    }
    expect_equal(name + "failed", expected.failed, found.failed);
    expect_equal(name + "released", expected.released, found.released);
    expect(expected.doubtful == found.doubtful, name + "other leases are doubted");
    const std::size_t touched = found.orders.size() + found.failed + found.released;
    if (!what.only.empty() || touched == what.limit) return;
    expect_equal(name + "more", expected.more, found.more);
    if (!expected.more) expect_equal(name + "next_due", expected.next_due, found.next_due);
}

void expect_same_purge(const purge_outcome& expected, const purge_outcome& found) {
    expect_equal("a purge", expected.ec, found.ec);
    expect_equal("orders that a purge deleted", expected.orders, found.orders);
    expect_equal("entries that a purge deleted", expected.entries, found.entries);
    expect_equal("the floor after a purge", expected.floor.offset, found.floor.offset);
    expect_equal("more to purge", expected.more, found.more);
    expect_equal("the cursor that holds a purge", expected.held_by, found.held_by);
}

// Makes writes up; knows what was claimed, so that it can finish it, rightly or too late.
class storm {
public:
    // model: of all orders; none: each has one that fits it.
    storm(bench& b, std::uint64_t seed, const order_model* model, bool purges)
        : b_(b), reference_(memory_), chance_(seed), model_(model), purges_(purges) {
        if (!model) return;
        b.use(*model);
        reference_.use(*model);
    }

    void write() {
        if (purges_ && ++written_ % 25 == 0) first_id_ += 10;  // ids of what was purged stay taken
        const auto by = milliseconds(static_cast<std::int64_t>(roll(12'000)) - 1'000);
        b_.advance(by);
        reference_.advance(by);
        const batch what = make();
        const batch_outcome expected = reference_.write(what);
        const batch_outcome found = b_.write(what);
        for (std::size_t i = 0; i < what.changes.size(); ++i) {
            expect_same_change(what.changes[i], expected.changes[i], found.changes[i]);
            expect_equal(show_change(what.changes[i]) + ", the attribute that is taken",
                         unsigned{expected.changes[i].taken}, unsigned{found.changes[i].taken});
        }
        for (std::size_t i = 0; i < what.claims.size(); ++i) {
            expect_same_claim(what.claims[i], expected.claims[i], found.claims[i]);
            for (const auto& it : expected.claims[i].orders) {
                held_.insert_or_assign(id_of(it.value), it);
            }
            for (const auto& it : expected.claims[i].doubtful) doubted_.push_back(it);
        }
        for (std::size_t i = 0; i < what.cursors.size(); ++i) {
            const std::string name =
                "cursor " + what.cursors[i].name + ", by " + what.cursors[i].owner;
            expect_equal(name, expected.cursors[i].ec, found.cursors[i].ec);
            expect_equal(name + ", where it stands", expected.cursors[i].at.offset,
                         found.cursors[i].at.offset);
        }
        for (std::size_t i = 0; i < what.purges.size(); ++i) {
            expect_same_purge(expected.purges[i], found.purges[i]);
        }
    }

    void compare() {
        const auto expected = reference_.list({});
        const auto found = b_.list({});
        expect_equal("orders", ids_of(expected), ids_of(found));
        for (std::size_t i = 0; i < found.size(); ++i) {
            expect_same_orders("a row of list()", expected[i], found[i]);
        }
        const auto journal = reference_.feed();
        const auto feed = b_.feed();
        expect_equal("entries", journal.size(), feed.size());
        for (std::size_t i = 0; i < feed.size(); ++i) {
            const std::uint64_t offset = feed[i].position.offset;
            expect_equal("offset of an entry", journal[i].position.offset, offset);
            if (offset <= compared_) continue;
            expect_equal("event of entry " + show(i + 1), journal[i].event, feed[i].event);
            expect_equal("actor of entry " + show(i + 1), journal[i].actor, feed[i].actor);
            expect_equal("reason of entry " + show(i + 1), journal[i].reason, feed[i].reason);
            expect_same_orders("entry " + show(i + 1) + ", " + feed[i].event, journal[i].after,
                               feed[i].after);
        }
        // Redactions, under a model, change entries that were compared.
        if (!model_ && !feed.empty()) compared_ = feed.back().position.offset;
        compare_sorted();
        if (model_) compare_values();
        if (purges_) compare_histories(expected);
        expect_equal("completed", reference_.count().completed, b_.count().completed);
        expect_equal("created", reference_.count().created, b_.count().created);
        expect_equal("processing time", reference_.count().processing_time,
                     b_.count().processing_time);
    }

private:
    // Below the floor only histories show entries.
    void compare_histories(const std::vector<order>& orders) {
        for (const order& it : orders) {
            const std::string id = id_of(it);
            expect_equal("entries of the history of " + id, reference_.history(id).size(),
                         b_.history(id).size());
        }
    }

    void compare_sorted() {
        list_params params;
        params.limit = 7;
        params.sort = list_sort::order_id;
        params.descending = false;
        if (is_supported(b_.reader().list(params))) {
            expect_equal("orders by id", ids_of(reference_.list(params)), ids_of(b_.list(params)));
        }
        params.sort = list_sort::due_at;
        for (const work_stage& stage : b_.machine().stages()) {
            for (const order_status& status : {stage.waiting, stage.active}) {
                params.statuses = {&status, 1};
                if (!is_supported(b_.reader().list(params))) return;
                expect_equal("orders by due time in " + show(status),
                             ids_of(reference_.list(params)), ids_of(b_.list(params)));
            }
        }
    }

    void compare_values() {
        list_params params;
        params.limit = 7;
        for (const attribute_rule* const rule : model_->attributes()) {
            if (!rule->indexed) continue;
            const std::string behind_all(index_entry::value_size_max, '\xff');
            params.sort = list_sort::index;
            params.index = {rule->slot, {}, behind_all};
            params.descending = roll(2) == 0;
            expect_equal("orders by " + rule->name, ids_of(reference_.list(params)),
                         ids_of(b_.list(params)));
            params.sort = list_sort::created_at;
            const std::string some = std::string(1 + roll(4), 'x');
            params.index = {rule->slot, some, some};
            expect_equal("orders of a " + rule->name, ids_of(reference_.list(params)),
                         ids_of(b_.list(params)));
        }
    }

    std::uint64_t roll(std::uint64_t sides) { return chance_.next() % sides; }

    batch make() {
        batch out;
        const std::size_t size = roll(7);
        std::uint64_t id = roll(40);
        std::uint64_t key_name = roll(25);
        for (std::size_t i = 0; i < size; ++i) {
            id += 1 + roll(5);  // each order and key at most once
            change what = make_change(name_of(id));
            if (roll(4) == 0) what.version = order_version{1 + roll(6)};
            if (roll(4) == 0) what.scope.user = any_user();
            if (roll(12) == 0) what.scope.tenant = any_tenant();
            if (roll(3) == 0) {
                what.idempotency_key = key(static_cast<std::uint8_t>(key_name++ % 25),
                                           static_cast<std::uint8_t>(roll(2)));
            }
            out.changes.push_back(std::move(what));
        }
        for (std::uint64_t i = roll(3); i > 0; --i) out.claims.push_back(make_claim());
        if (roll(3) == 0) {
            out.cursors.push_back({"relay", roll(2) == 0 ? "a" : "b", {}, b_.now() + seconds(5)});
        }
        if (purges_ && roll(4) == 0) {
            out.purges.push_back(
                {b_.now() - seconds(roll(200)), 1 + roll(30), seconds(roll(4) * 60)});
        }
        return out;
    }

    std::string name_of(std::uint64_t id) const {
        return "r" + std::to_string(first_id_ + id % 40);
    }

    std::string any_user() {
        constexpr std::string_view names[] = {"1", "2", "3", "8", "", "u-3", "café", "03"};
        return std::string(names[roll(std::size(names))]);
    }
    std::string any_tenant() { return roll(3) == 0 ? "north" : ""; }

    // Now and then with what most orders do not have.
    order_content any_content(const std::string& id) {
        if (model_) return random_content(*model_, chance_);
        order_content out = sample(id, static_cast<std::int64_t>(1 + roll(3)));
        if (roll(3) != 0) return out;
        out.user = any_user();
        if (roll(2) == 0) {
            out.item_ids.clear();
            out.lines = {{"SKU/1", 2, amount{150}, "a cup"}, {"2", 1, {}, {}}};
        }
        if (roll(2) == 0)
            out.attributes = {{"a", "text"}, {"n", std::int64_t{-5}}, {"t", b_.now()}};
        if (roll(2) == 0) out.annotations = "{\"seen\":" + std::to_string(roll(100)) + "}";
        return out;
    }
    change any_create(const std::string& id) {
        order out;
        static_cast<order_content&>(out) = any_content(id);
        if (!model_) out.tenant = any_tenant();
        out.id = order_id::parse(id).value();
        return b_.create(out);
    }

    change make_change(const std::string& id) {
        const auto it = held_.find(id);
        if (it != held_.end() && roll(3) != 0) {
            switch (roll(5)) {
                case 0: {
                    const seconds time(roll(20));
                    change out = b_.release(it->second, b_.now() + time);
                    if (roll(2) == 0) std::get<transition_order>(out.action).backoff = time;
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
        if (model_ && roll(3) == 0) return change_under_model(id);
        switch (roll(10)) {
            case 0:
                return b_.edit(id, any_content(id));
            case 1:
                return b_.raise(id, "cancel", "no longer wanted");
            case 2:
                return b_.raise(id, "retry");
            case 3:
                return roll(4) == 0 ? b_.erase(id) : b_.raise(id, "fail", "by hand");
            default:
                return any_create(id);
        }
    }

    change change_under_model(const std::string& id) {
        const std::uint64_t kind = roll(8);
        if (kind == 0) return b_.refresh_index(id);
        if (kind > 2) return b_.annotate(id, random_annotation(*model_, chance_));
        return b_.orders().info().capabilities.has(capability::redaction) ? b_.redact(id)
                                                                          : b_.erase(id);
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
            const std::uint64_t one = roll(40), other = roll(40);
            out.only = {name_of(one), name_of(other)};
        }
        return out;
    }

    bench& b_;
    memory_harness memory_;
    bench reference_;
    seeded_random chance_;
    const order_model* model_;
    std::map<std::string, claimed_order> held_;
    std::vector<doubtful_lease> doubted_;
    std::uint64_t compared_ = 0;  // offset of the entry
    const bool purges_;
    std::size_t written_ = 0;
    std::uint64_t first_id_ = 0;
};

void random_writes(bench& b, std::uint64_t seed, const order_model* model, bool purges) {
    constexpr int writes = 600;
    storm both(b, seed, model, purges);
    for (int i = 1; i <= writes; ++i) {
        try {
            both.write();
            both.compare();
        } catch (broken& e) {
            e.what = "random write " + show(i) + " (seed " + show(seed) +
                     "; expected is what memory answered): " + e.what;
            throw;
        }
    }
}

void random_writes(bench& b) {
    random_writes(b, 61526, nullptr, false);
}

void random_purges(bench& b) {
    random_writes(b, 61526, nullptr, true);
}

void random_writes_under_a_model(bench& b) {
    constexpr std::uint64_t seed = 61527;
    seeded_random chance(seed);
    const order_model model = random_model(chance);
    random_writes(b, seed, &model, false);
}

constexpr entry entries[] = {
    {"random_writes_answer_as_memory_does",
     "All storages give the same answers to the same writes (the reference is memory).",
     random_writes},
    {"random_writes_under_a_model_answer_as_memory_does",
     "The same of orders with attributes that are indexed, unique and personal, of a random model.",
     random_writes_under_a_model, capability::indexes},
    {"random_purges_answer_as_memory_does", "The same, with purges in between.", random_purges,
     capability::purge},
};

}  // namespace

std::vector<storage_case> random_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
