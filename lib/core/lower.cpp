#include <orderproc/command.hpp>

#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

result<void> lower_to(change& out, submit_order& submit, const status_machine& machine,
                      runtime& with) {
    order& it = submit.value;
    if (auto ok = validate(it); !ok) return ok;
    if (!it.id) it.id = order_id::make(with.time.now(), with.random.next(), with.random.next());
    it.number = 0;
    it.status = machine.initial();
    it.attempts = 0;
    it.next_attempt_at.reset();
    it.last_error.clear();
    it.first_claimed_at.reset();
    it.settled_at.reset();
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
    move.reason = std::move(raise.reason);
    move.queued = machine.stage_waiting_in(found->to) != nullptr;
    if (move.queued) move.attempts = 0;
    move.settles = machine.is_settled(found->to);
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

}  // namespace

result<change> lower(command what, const status_machine& machine, runtime& with) {
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
