// Whatever is asked, in whatever order: what a storage keeps stays as promised.

#include "lower_fixture.hpp"

#include <orderproc/command.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;
using namespace lower_fixture;
using namespace std::chrono_literals;

namespace {

// A storage of the simplest kind, and a driver that asks it for anything that commands, workers
// (some of them late) and claims may ask for. Checks every answer against what is promised.
class world {
public:
    world(const status_machine& machine, std::uint64_t seed)
        : machine_(machine), random_(seed), with_{time_, random_, nobody_} {}

    void step() {
        if (draw(4) == 0) time_.advance(std::chrono::milliseconds(draw(1500)));
        switch (draw(10)) {
            case 0:
                return draw(2) == 0 ? submit() : raise();
            case 1:
                return edit();
            case 2:
                return erase();
            case 3:
            case 4:
                return raise();
            case 5:
            case 6:
                return claim_some();
            default:
                return finish_or_renew();
        }
    }

    std::map<std::string, int> seen;  // events, so that a test can tell that it tested something

private:
    struct held {
        std::string id;
        lease_token lease;
        order_status active;
    };

    std::uint64_t draw(std::uint64_t below) { return random_.next() % below; }
    // Mostly one of the latest; some are deleted, and the next is not there yet.
    std::string any_id() {
        const std::uint64_t back = draw(draw(4) == 0 ? made_ + 1 : 12);
        return "A-" + std::to_string(made_ - std::min(made_, back));
    }

    void apply(const change& what) {
        const auto found = orders_.find(what.order);
        const stored_order* current = found == orders_.end() ? nullptr : &found->second;
        const auto verdict = evaluate(current, what, time_.now());
        if (!verdict) {
            ++seen["refused"];
            return;
        }
        store(what.order, *verdict);
    }

    void apply(command what) {
        if (auto lowered = lower(std::move(what), machine_, with_)) apply(*lowered);
    }

    void submit() {
        submit_order what{valid_order()};
        what.value.id = order_id::parse("A-" + std::to_string(made_++)).value();
        command it;
        it.what = std::move(what);
        apply(std::move(it));
    }

    void edit() {
        command it;
        it.what = edit_fields{any_id(), draft("5", {9}, {1, "EUR"})};
        if (draw(3) == 0) it.version = order_version{1 + draw(5)};
        apply(std::move(it));
    }

    void erase() {
        if (draw(4) != 0) return;
        command it;
        it.what = erase_order{any_id()};
        apply(std::move(it));
    }

    void raise() {
        const auto all = machine_.transitions();
        command it;
        it.what = raise_event{any_id(), std::string(all[draw(all.size())].event), "because"};
        apply(std::move(it));
    }

    void claim_some() {
        const work_stage& stage = machine_.stages()[draw(machine_.stages().size())];
        claim what;
        what.stage = &stage;
        what.worker_id = "w" + std::to_string(draw(3));
        what.expires_at = time_.now() + std::chrono::milliseconds(1 + draw(2000));
        what.attempts_max = attempts_max;
        what.expiry_backoff = 100ms;
        what.limit = 1 + draw(4);
        std::vector<std::pair<timestamp, std::string>> due;
        for (const auto& [id, it] : orders_) {
            if (it.due_at) due.emplace_back(*it.due_at, id);
        }
        std::sort(due.begin(), due.end());
        claim_selection selection(what, time_.now());
        claim_outcome out;
        for (const auto& [at, id] : due) {
            const auto verdict = selection.offer(orders_.at(id));
            if (!verdict) continue;
            store(id, *verdict);
            selection.take(*verdict, out);
        }
        BOOST_TEST(out.orders.size() + out.failed + out.released <= what.limit);
        const bool isolated = std::any_of(out.orders.begin(), out.orders.end(),
                                          [](const claimed_order& it) { return it.isolated; });
        if (isolated) {
            BOOST_TEST(std::all_of(out.orders.begin(), out.orders.end(),
                                   [](const claimed_order& it) { return it.isolated; }));
        }
        seen["isolated"] += isolated ? 1 : 0;
        for (const claimed_order& it : out.orders) {
            held_.push_back({std::string(it.value.id.view()), it.lease, stage.active});
        }
    }

    // A worker's verdict; it may come long after somebody else took over.
    void finish_or_renew() {
        if (held_.empty()) return;
        const std::size_t at = draw(held_.size());
        const held mine = held_[at];
        const auto found = orders_.find(mine.id);
        const bool still_mine =
            found != orders_.end() && found->second.leased && found->second.lease == mine.lease;
        change it;
        it.order = mine.id;
        it.lease = mine.lease;
        it.actor = "w";
        if (draw(4) == 0) {
            it.event = "renew";
            it.action = renew_lease{time_.now() + 1s};
        } else {
            const auto events = machine_.allowed(mine.active);
            const transition& event = *machine_.find(events[draw(events.size())]);
            const work_stage* next = machine_.stage_waiting_in(event.to);
            transition_order move;
            move.to = event.to;
            move.queued = next != nullptr;
            if (next && next->release != event.event) move.attempts = 0;
            if (draw(2) == 0 && next) move.next_attempt_at = time_.now() + 200ms;
            move.settles = machine_.is_settled(event.to);
            it.event = event.event;
            it.from = event.from;
            it.action = std::move(move);
            if (draw(3) != 0) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
        }
        const auto verdict =
            evaluate(found == orders_.end() ? nullptr : &found->second, it, time_.now());
        BOOST_TEST(verdict.has_value() == still_mine);
        if (verdict) store(mine.id, *verdict);
        seen["late"] += still_mine ? 0 : 1;
    }

    void store(const std::string& id, const evaluation& verdict) {
        const auto found = orders_.find(id);
        const stored_order* before = found == orders_.end() ? nullptr : &found->second;
        check(before, verdict);
        if (verdict.journaled) ++seen[std::string(verdict.event)];
        if (verdict.removed) {
            orders_.erase(id);
        } else {
            orders_.insert_or_assign(id, verdict.after);
        }
    }

    void check(const stored_order* before, const evaluation& verdict) {
        const stored_order& after = verdict.after;
        const order_status status = after.value.status;
        const auto version = static_cast<std::uint64_t>(after.value.version);
        const auto version_before =
            before ? static_cast<std::uint64_t>(before->value.version) : std::uint64_t{0};
        BOOST_TEST(version == version_before + (verdict.journaled ? 1 : 0));
        if (verdict.journaled) BOOST_TEST((after.value.updated_at == time_.now()));
        if (before) {
            BOOST_TEST((verdict.from == before->value.status));
            BOOST_TEST((after.lease >= before->lease));
            BOOST_TEST((after.value.created_at == before->value.created_at));
            if (status != before->value.status) {
                BOOST_TEST(!machine_.is_final(before->value.status));
                const transition* event = machine_.find(verdict.event);
                BOOST_TEST_REQUIRE(event);
                BOOST_TEST((event->to == status));
                BOOST_TEST(
                    std::count(event->from.begin(), event->from.end(), before->value.status) == 1);
            }
        }
        BOOST_TEST(after.value.attempts <= attempts_max);
        if (verdict.removed) return;
        const bool active = machine_.stage_active_in(status) != nullptr;
        const bool waiting = machine_.stage_waiting_in(status) != nullptr;
        BOOST_TEST(after.leased == active);
        BOOST_TEST(after.worker_id.empty() == !active);
        BOOST_TEST(after.due_at.has_value() == (active || waiting));
        BOOST_TEST(after.value.settled_at.has_value() == machine_.is_settled(status));
        if (after.value.next_attempt_at) BOOST_TEST((after.due_at == after.value.next_attempt_at));
    }

    static constexpr std::uint32_t attempts_max = 4;
    const status_machine& machine_;
    testing::manual_clock time_;
    testing::seeded_random random_;
    observer nobody_;
    runtime with_;
    std::map<std::string, stored_order> orders_;
    std::uint64_t made_ = 0;
    std::vector<held> held_;
};

}  // namespace

BOOST_DATA_TEST_CASE(whatever_is_asked_the_promises_hold, data::xrange(8), seed) {
    const status_machine& machine = seed % 2 == 0 ? status_machine::standard() : shop();
    world it(machine, static_cast<std::uint64_t>(seed) + 1);
    for (int i = 0; i < 4000; ++i) it.step();
    for (const transition& event : machine.transitions()) {
        BOOST_TEST(it.seen[std::string(event.event)] > 0, event.event << " was never raised");
    }
    for (const char* what : {"create", "edit", "delete", "refused", "late", "isolated"}) {
        BOOST_TEST(it.seen[what] > 0, what << " never happened");
    }
}
