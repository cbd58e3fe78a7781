#include "core/lease_reason.hpp"

#include <orderproc/explain.hpp>

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// After so many expired leases in a row a claim takes the order in a small group: claim.hpp.
constexpr std::size_t expiries_of_isolation = 2;

std::string count_of(std::uint64_t count, const char* one, const char* many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string with_period(std::string_view text) {
    std::string out(text);
    if (!out.empty() && out.back() != '.' && out.back() != '!' && out.back() != '?') out += '.';
    return out;
}

// Makes the sentences of one order.
class explainer {
public:
    explainer(const order_facts& of, const status_machine& machine, timestamp now)
        : of_(of), machine_(machine), now_(now) {}

    explanation make() {
        list_attempts();
        if (!of_.value) {
            tell_absent();
            return std::move(out_);
        }
        const order& it = *of_.value;
        list_events(it);
        out_.since = since(it);
        if (machine_.stage_active_in(it.status)) {
            tell_in_work(it);
        } else if (const work_stage* waits = machine_.stage_waiting_in(it.status)) {
            tell_waiting(it, *waits);
        } else if (is_failed(it.status)) {
            tell_dead(it);
        } else {
            tell_settled(it);
        }
        return std::move(out_);
    }

private:
    void say(std::string text) { out_.sentences.push_back(std::move(text)); }

    std::string named() const { return "Order " + of_.id; }
    static std::string at(timestamp time) { return to_string(time); }
    // "Order A is PENDING since 2026-06-15T14:22:51.000Z."
    std::string start(const order& it) const {
        return named() + " is " + std::string(it.status.view()) + " since " + at(*out_.since) + ".";
    }
    static std::string joined(const std::vector<std::string>& all, std::string_view between) {
        std::string out;
        for (const std::string& it : all) out.append(out.empty() ? "" : between).append(it);
        return out;
    }

    bool is_failed(order_status status) const {
        const auto stages = machine_.stages();
        return std::any_of(stages.begin(), stages.end(),
                           [&](const work_stage& it) { return it.failed == status; });
    }

    // When it got into its status: annotations and redactions do not count.
    timestamp since(const order& it) const {
        timestamp out = it.updated_at;
        for (auto entry = of_.history.rbegin(); entry != of_.history.rend(); ++entry) {
            if (entry->after.status != it.status) break;
            out = entry->at;
            if (entry->from != it.status) break;
        }
        return out;
    }

    void list_events(const order& it) {
        for (const transition& one : machine_.transitions()) {
            const bool from_here =
                std::find(one.from.begin(), one.from.end(), it.status) != one.from.end();
            if (one.open_to_clients && from_here) out_.can.emplace_back(one.event);
        }
    }

    void list_attempts() {
        for (const journal_entry& it : of_.history) {
            const work_stage* begun = machine_.stage_active_in(it.after.status);
            if (begun && it.event == begun->start) {
                explained_attempt one;
                one.number = it.after.attempts;
                one.worker = it.actor;
                one.from = it.at;
                one.outcome = "running";
                out_.attempts.push_back(std::move(one));
                continue;
            }
            if (out_.attempts.empty() || out_.attempts.back().until || !it.from) continue;
            const work_stage* stage = machine_.stage_active_in(*it.from);
            if (!stage || it.after.status == *it.from) continue;
            explained_attempt& last = out_.attempts.back();
            last.until = it.at;
            last.reason = it.reason;
            last.outcome = outcome_of(it, *stage);
        }
        auto& all = out_.attempts;
        if (all.size() > explanation::attempts_max) {
            all.erase(all.begin(), all.end() - explanation::attempts_max);
        }
    }

    static std::string outcome_of(const journal_entry& it, const work_stage& stage) {
        if (detail::tells_of_expired_lease(it.reason)) return "expired";
        if (it.event == stage.fail) return "failed";
        if (it.event != stage.release) return "advanced";
        return it.after.last_error.empty() || it.reason != it.after.last_error ? "released"
                                                                               : "retried";
    }

    std::size_t expiries_in_a_row() const {
        std::size_t out = 0;
        for (auto it = out_.attempts.rbegin(); it != out_.attempts.rend(); ++it) {
            if (it->outcome == "running") continue;
            if (it->outcome != "expired") break;
            ++out;
        }
        return out;
    }

    void tell_absent() {
        if (of_.history.empty()) {
            out_.state = order_state::unknown;
            say("There is no order " + of_.id + ": there never was one, or it was purged.");
            return;
        }
        const journal_entry& last = of_.history.back();
        out_.state = order_state::deleted;
        out_.since = last.at;
        std::string text = named() + " was deleted at " + at(last.at);
        if (!last.actor.empty()) text += " by " + last.actor;
        say(text + ". Its history stays, and its id is not given again.");
    }

    void tell_last_attempt() {
        if (out_.attempts.empty() || !out_.attempts.back().until) return;
        const explained_attempt& last = out_.attempts.back();
        if (last.reason.empty() || last.outcome == "advanced") return;
        say(with_period("Attempt " + std::to_string(last.number) + " ended with: " + last.reason));
    }

    void tell_in_work(const order& it) {
        out_.state = order_state::in_work;
        out_.waits_for = order_wait::outcome;
        const explained_attempt* last = out_.attempts.empty() ? nullptr : &out_.attempts.back();
        std::string text = start(it);
        text.pop_back();
        text += ": attempt " + std::to_string(it.attempts);
        if (last && !last->worker.empty()) text += " by worker " + last->worker;
        say(text + ".");
        if (!last) return;
        tell_worker(*last);
        // Nobody takes it over while work is paused.
        if (out_.waits_for == order_wait::lease) tell_pause(*machine_.stage_active_in(it.status));
    }

    void tell_worker(const explained_attempt& last) {
        const auto found =
            std::find_if(of_.workers.begin(), of_.workers.end(),
                         [&](const worker_record& it) { return it.name == last.worker; });
        if (found == of_.workers.end()) return tell_unknown_worker(last);
        switch (state_of(*found, now_)) {
            case worker_state::working:
                return;
            case worker_state::draining:
                return say("That worker is about to stop: it finishes the order or gives it back.");
            case worker_state::silent:
            case worker_state::gone:
                break;
        }
        out_.waits_for = order_wait::lease;
        say("That worker has not been heard since " + at(found->heard_at) +
            ": another one gets the order when its lease has ended.");
    }

    void tell_unknown_worker(const explained_attempt& last) {
        if (!of_.workers_known || now_ - last.from < worker_record::gone_after) return;
        out_.waits_for = order_wait::lease;
        say("No worker of that name is heard. Unless it works without a record, it has died, and "
            "another one gets the order when its lease has ended.");
    }

    void tell_waiting(const order& it, const work_stage& stage) {
        out_.state = order_state::waiting;
        if (it.next_attempt_at && *it.next_attempt_at > now_) {
            out_.waits_for = order_wait::its_time;
            out_.next_at = it.next_attempt_at;
            std::string text = start(it);
            text.pop_back();
            say(text + " and waits until " + at(*it.next_attempt_at) + ".");
            if (it.attempts == 0) {
                say("No attempt was made: work on it was asked to begin no earlier, or it was put "
                    "off.");
            }
            tell_last_attempt();
        } else {
            std::string text = start(it);
            text.pop_back();
            say(text + " and is due.");
            tell_last_attempt();
            tell_why_not_taken(stage);
        }
        tell_pause(stage);
    }

    void tell_pause(const work_stage& stage) {
        const auto found = std::find_if(
            of_.pauses.begin(), of_.pauses.end(),
            [&](const work_pause& it) { return !it.stage || *it.stage == stage.active; });
        if (found == of_.pauses.end()) return;
        if (out_.waits_for != order_wait::its_time) out_.waits_for = order_wait::pause;
        std::string text = found->stage ? "Stage " + std::string(stage.active.view()) + " is paused"
                                        : std::string("All work is paused");
        text += " since " + at(found->since);
        if (!found->by.empty()) text += " by " + found->by;
        if (!found->reason.empty()) text += " (" + found->reason + ")";
        say(text + ": nobody takes orders until somebody resumes it.");
    }

    void tell_why_not_taken(const work_stage& stage) {
        if (is_paused(of_.pauses, stage)) return;  // which says it all
        const std::size_t expiries = expiries_in_a_row();
        if (expiries >= expiries_of_isolation) {
            out_.waits_for = order_wait::isolation;
            say("Its lease expired " + std::to_string(expiries) +
                " times in a row, as if it took its workers down: so a worker takes it alone or "
                "with few others, once it has finished what it has.");
            return;
        }
        std::uint64_t heard = 0, in_work = 0, capacity = 0;
        for (const worker_record& it : of_.workers) {
            const bool works =
                std::find(it.stages.begin(), it.stages.end(), stage.active) != it.stages.end();
            if (!works || state_of(it, now_) != worker_state::working) continue;
            ++heard;
            in_work += it.in_work;
            capacity += it.capacity;
        }
        if (of_.workers_known && heard == 0) {
            out_.waits_for = order_wait::worker;
            say("No worker of stage " + std::string(stage.active.view()) +
                " is heard: start one with `orderproc work`, or look why it stopped.");
        } else if (heard > 0 && in_work >= capacity) {
            out_.waits_for = order_wait::capacity;
            say(count_of(heard, "worker has", "workers have") + " " +
                count_of(in_work, "order", "orders") + " in work, and room for " +
                std::to_string(capacity) + ": it is taken when one of them is finished.");
        } else {
            tell_queue();
        }
    }

    void tell_queue() {
        if (of_.ahead && *of_.ahead > 0) {
            out_.waits_for = order_wait::queue;
            say((of_.ahead_more ? "More than " : "") +
                count_of(*of_.ahead, "order is", "orders are") + " due before it.");
            return;
        }
        out_.waits_for = order_wait::claim;
        say("It is the next one: a worker takes it when it looks again, within seconds.");
    }

    void tell_dead(const order& it) {
        out_.state = order_state::dead;
        out_.waits_for = order_wait::person;
        std::string text = start(it);
        text.pop_back();
        say(text + " after " + count_of(it.attempts, "attempt", "attempts") + ".");
        if (!it.last_error.empty()) say(with_period("It failed with: " + it.last_error));
        if (of_.similar && *of_.similar > 0) {
            say((of_.similar_more ? "At least " : "") +
                count_of(*of_.similar, "other order has", "other orders have") +
                " failed for the same reason.");
        }
        say(out_.can.empty()
                ? "Nothing happens to it."
                : "Nothing happens to it until somebody raises " + joined(out_.can, " or ") + ".");
    }

    void tell_settled(const order& it) {
        if (!machine_.is_settled(it.status)) {
            out_.state = order_state::waiting;
            out_.waits_for = order_wait::person;
            say(start(it) + " It goes on when the application moves it.");
            return;
        }
        out_.state = order_state::settled;
        if (machine_.is_final(it.status)) {
            say(start(it) + " Nothing more happens to it.");
            return;
        }
        out_.waits_for = order_wait::person;
        say(start(it) + " Nothing more happens to it by itself.");
        if (!out_.can.empty())
            say("It goes on when somebody raises " + joined(out_.can, " or ") + ".");
    }

    const order_facts& of_;
    const status_machine& machine_;
    const timestamp now_;
    explanation out_;
};

}  // namespace

std::string_view name_of(order_state value) noexcept {
    switch (value) {
        case order_state::unknown:
            break;
        case order_state::deleted:
            return "deleted";
        case order_state::waiting:
            return "waiting";
        case order_state::in_work:
            return "in_work";
        case order_state::settled:
            return "settled";
        case order_state::dead:
            return "dead";
    }
    return "unknown";
}

std::string_view name_of(order_wait value) noexcept {
    static constexpr std::string_view names[] = {"nothing",  "its_time", "pause",     "worker",
                                                 "capacity", "queue",    "isolation", "claim",
                                                 "outcome",  "lease",    "person"};
    const auto at = static_cast<std::size_t>(value);
    return at < std::size(names) ? names[at] : names[0];
}

explanation explain(const order_facts& of, const status_machine& machine, timestamp now) {
    return explainer(of, machine, now).make();
}

}  // namespace v1
}  // namespace orderproc
