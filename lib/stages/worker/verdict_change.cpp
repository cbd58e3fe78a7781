#include "stages/worker/verdict_change.hpp"

#include "core/work_events.hpp"
#include "stages/common/retry_delay.hpp"
#include "stages/worker/reason_text.hpp"

#include <orderproc/attempt.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

change leased_change(const attempt_facts& of, std::string_view event) {
    change out;
    out.order = of.order;
    out.event = event;
    out.from = std::span(&of.stage.active, 1);
    out.lease = of.lease;
    out.actor = of.worker_id;
    return out;
}

verdict_change fail(const attempt_facts& of, std::string reason, const status_machine& machine) {
    verdict_change out{leased_change(of, of.stage.fail), verdict_effect::failed,
                       attempt_outcome::gave_up};
    transition_order move;
    move.to = of.stage.failed;
    move.last_error = reason;
    move.reason = std::move(reason);
    move.settles = machine.is_settled(move.to);
    out.what.action = std::move(move);
    return out;
}

change make_hand_over(const attempt_facts& of, std::chrono::milliseconds timeout,
                      const runtime& with) {
    const auto length = std::clamp(timeout, std::chrono::milliseconds(1), delay_max);
    change out = leased_change(of, "renew");
    out.action = renew_lease{with.time.now() + length, length};
    return out;
}

// Makes the change of each kind of verdict.
struct judge {
    const attempt_facts& of;
    const status_machine& machine;
    const retry_policy& policy;
    runtime& with;

    verdict_change operator()(const advance& said) const {
        const transition* found = machine.find(said.event);
        // A stage's own ways out mean the same whoever names them: with back-off and limit.
        if (said.event == of.stage.release) return (*this)(retry_later{said.event, {}});
        if (said.event == of.stage.fail) return fail(of, said.event, machine);
        const std::string name = "\"" + reason_text(said.event) + "\"";
        if (!found) return fail(of, "the processor raised " + name + ": no such event", machine);
        if (std::find(found->from.begin(), found->from.end(), of.stage.active) ==
            found->from.end()) {
            return fail(of,
                        "the processor raised " + name + ", which " +
                            std::string(of.stage.active.view()) + " does not allow",
                        machine);
        }
        if (machine.stage_active_in(found->to)) {
            return fail(of, "the processor raised " + name + ", which only a claim may", machine);
        }
        verdict_change out{leased_change(of, found->event), verdict_effect::advanced,
                           attempt_outcome::advanced};
        transition_order move;
        move.to = found->to;
        move.queued = machine.stage_waiting_in(found->to) != nullptr;
        if (move.queued) move.attempts = 0;
        move.last_error.emplace();
        move.settles = machine.is_settled(found->to);
        move.completes = completes_work(*found, machine);
        out.what.action = std::move(move);
        return out;
    }

    verdict_change operator()(const retry_later& said) const {
        std::string reason = reason_text(said.reason);
        if (of.attempts >= policy.attempts_max) return fail(of, std::move(reason), machine);
        verdict_change out{leased_change(of, of.stage.release), verdict_effect::retried,
                           attempt_outcome::retried};
        transition_order move;
        move.to = of.stage.waiting;
        move.queued = true;
        const auto delay = retry_delay(said.delay, policy, of.attempts, with.random.next());
        move.next_attempt_at = with.time.now() + delay;
        if (!said.delay) move.backoff = std::max(delay, std::chrono::milliseconds(1));
        move.last_error = reason;
        move.reason = std::move(reason);
        out.what.action = std::move(move);
        return out;
    }

    verdict_change operator()(const give_up& said) const {
        return fail(of, reason_text(said.reason), machine);
    }

    verdict_change operator()(const answer_later& said) const {
        return {make_hand_over(of, said.timeout, with), verdict_effect::handed_over,
                attempt_outcome::handed_over};
    }
};

}  // namespace

verdict_change make_verdict_change(const attempt_facts& of, const verdict& said,
                                   const status_machine& machine, const retry_policy& policy,
                                   runtime& with) {
    return std::visit(judge{of, machine, policy, with}, said);
}

verdict_change make_timeout_change(const attempt_facts& of, std::chrono::milliseconds limit,
                                   const status_machine& machine, const retry_policy& policy,
                                   runtime& with) {
    const retry_later said{"timed out after " + std::to_string(limit.count()) + " ms", {}};
    verdict_change out = judge{of, machine, policy, with}(said);
    out.outcome = attempt_outcome::timed_out;
    return out;
}

verdict_change make_release_change(const attempt_facts& of) {
    verdict_change out{leased_change(of, of.stage.release), verdict_effect::released,
                       attempt_outcome::released};
    transition_order move;
    move.to = of.stage.waiting;
    move.reason = "shut down";
    move.queued = true;
    move.attempts = of.attempts - 1;
    move.interrupted = true;
    out.what.action = std::move(move);
    return out;
}

change make_renewal(const attempt_facts& of, timestamp expires_at) {
    change out = leased_change(of, "renew");
    out.action = renew_lease{expires_at};
    return out;
}

bool happened(const verdict_change& it, const order& claimed, const order& now) {
    const auto* const move = std::get_if<transition_order>(&it.what.action);
    if (!move) return false;  // a hand-over that happened is not refused either
    const auto next = static_cast<std::uint64_t>(claimed.version) + 1;
    return now.version == order_version{next} && now.status == move->to &&
           now.next_attempt_at == move->next_attempt_at &&
           now.attempts == move->attempts.value_or(claimed.attempts) &&
           now.last_error == move->last_error.value_or(claimed.last_error);
}

}  // namespace detail

namespace {

// Whether the event may end the work of the stage, by name or by what its absence means.
result<void> name_event(advance& said, const work_stage& of, const status_machine& machine) {
    if (said.event.empty()) said.event = machine.default_way_out(of);
    const auto all = machine.ways_out(of);
    if (std::find(all.begin(), all.end(), said.event) != all.end()) return {};
    std::string detail = said.event.empty() ? "an event has to be named" : "no such event";
    detail.append(": the work of ").append(of.active.view()).append(" ends by ");
    for (const std::string_view it : all) {
        detail.append(it == all.front() ? "" : " or ").append(it);
    }
    return failure{errc::invalid_argument, std::move(detail)};
}

}  // namespace

result<change> answer_attempt(const attempt_reference& of, attempt_answer said,
                              const status_machine& machine, const retry_policy& policy,
                              runtime& with) {
    const work_stage* const stage = machine.stage_active_in(of.stage);
    if (!stage) {
        return failure{errc::invalid_argument,
                       "the machine has no stage " + std::string(of.stage.view())};
    }
    const detail::attempt_facts facts{of.order, of.number, *stage, of.lease, {}};
    if (const auto* longer = std::get_if<extend_attempt>(&said)) {
        return detail::make_hand_over(facts, longer->timeout, with);
    }
    if (auto* move = std::get_if<advance>(&said)) {
        if (auto ok = name_event(*move, *stage, machine); !ok) return std::move(ok).error();
        return detail::make_verdict_change(facts, *move, machine, policy, with).what;
    }
    if (const auto* later = std::get_if<retry_later>(&said)) {
        return detail::make_verdict_change(facts, *later, machine, policy, with).what;
    }
    return detail::make_verdict_change(facts, std::get<give_up>(said), machine, policy, with).what;
}

}  // namespace v1
}  // namespace orderproc
