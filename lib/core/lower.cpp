#include "core/work_events.hpp"

#include <orderproc/command.hpp>

#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

result<void> lower_to(change& out, submit_order& submit, const status_machine& machine,
                      runtime& with) {
    order& it = submit.value;
    if (auto ok = validate(it); !ok) return ok;
    const timestamp now = with.time.now();
    if (!it.id) {
        const std::uint64_t high = with.random.next();
        const std::uint64_t low = with.random.next();
        it.id = order_id::make(now, high, low);
    }
    it.number = 0;
    it.status = machine.initial();
    it.attempts = 0;
    it.next_attempt_at.reset();
    it.last_error.clear();
    it.first_claimed_at.reset();
    it.settled_at.reset();
    if (machine.is_settled(it.status)) it.settled_at = now;
    out.order = it.id->view();
    out.event = "create";
    out.action =
        create_order{std::move(it), machine.stage_waiting_in(machine.initial()) != nullptr};
    return {};
}

result<void> lower_to(change& out, edit_fields& edit, const status_machine& machine, runtime&) {
    order probe;
    probe.user_id = edit.fields.user_id;
    probe.item_ids = edit.fields.item_ids;
    probe.total_amount = edit.fields.total_amount;
    probe.metadata = edit.fields.metadata;
    if (auto ok = validate(probe); !ok) return ok;
    out.order = std::move(edit.order);
    out.event = "edit";
    out.from = machine.statuses().first(1);  // the initial one
    out.unleased = true;
    out.action = std::move(edit.fields);
    return {};
}

result<void> lower_to(change& out, raise_event& raise, const status_machine& machine, runtime&) {
    const transition* found = machine.find(raise.event);
    if (!found) return failure{errc::not_found, "no event " + raise.event};
    if (machine.stage_active_in(found->to)) return errc::transition_rejected;
    move_order move;
    move.to = found->to;
    if (detail::fails_work(*found, machine)) move.last_error = raise.reason;
    move.reason = std::move(raise.reason);
    const work_stage* stage = machine.stage_waiting_in(found->to);
    move.queued = stage != nullptr;
    if (stage && stage->release != found->event) move.attempts = 0;  // it enters the stage
    move.settles = machine.is_settled(found->to);
    move.completes = detail::completes_work(*found, machine);
    move.repeatable = true;
    out.order = std::move(raise.order);
    out.event = found->event;
    out.from = found->from;
    out.action = std::move(move);
    return {};
}

result<void> lower_to(change& out, erase_order& erase, const status_machine&, runtime&) {
    out.order = std::move(erase.order);
    out.event = "delete";
    out.unleased = true;
    out.action = remove_order{};
    return {};
}

// Whose order it is to be, if the command says so.
std::optional<std::int64_t> owner(const command& what) {
    if (const auto* submit = std::get_if<submit_order>(&what.what)) return submit->value.user_id;
    if (const auto* edit = std::get_if<edit_fields>(&what.what)) return edit->fields.user_id;
    return std::nullopt;
}

}  // namespace

result<change> lower(command what, const status_machine& machine, runtime& with) {
    if (const auto user = owner(what); what.user_id && user && *user != *what.user_id) {
        return failure{errc::invalid_argument, "user_id must be the principal's own"};
    }
    change out;
    auto lowered =
        std::visit([&](auto& it) { return lower_to(out, it, machine, with); }, what.what);
    if (!lowered) return std::move(lowered).error();
    out.version = what.version;
    out.user_id = what.user_id;
    out.once = what.once;
    out.actor = std::move(what.actor);
    out.traceparent = std::move(what.traceparent);
    return out;
}

}  // namespace v1
}  // namespace orderproc
