#include "core/command_texts.hpp"
#include "core/lower_into.hpp"
#include "core/model_rules.hpp"
#include "core/work_events.hpp"

#include <orderproc/command.hpp>

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// How much of an event that nobody knows is repeated to whoever raised it.
constexpr std::size_t shown_size_max = 64;

// What a command becomes a change with.
struct rules {
    const status_machine& machine;
    const order_model& model;
    runtime& with;
};

// The order starts at once, or later if it says so.
result<void> set_start(create_order& create, const order_draft& draft, const rules& by,
                       timestamp now) {
    create.queued = by.machine.stage_waiting_in(by.machine.initial()) != nullptr;
    if (!draft.not_before) return {};
    if (!create.queued) {
        return failure{errc::invalid_argument,
                       "not_before must be left out: no work begins in the initial status"};
    }
    if (*draft.not_before > now) create.value.next_attempt_at = draft.not_before;
    return {};
}

result<void> lower_to(change& out, submit_order& submit, const rules& by) {
    by.model.complete(submit.value);
    if (auto ok = by.model.validate(submit.value); !ok) return ok;
    const timestamp now = by.with.time.now();
    create_order& create = out.action.emplace<create_order>();
    if (auto ok = set_start(create, submit.value, by, now); !ok) return ok;
    order& it = create.value;
    static_cast<order_content&>(it) = std::move(submit.value);
    it.id = std::move(submit.value.id);
    if (it.id.empty()) {
        const std::uint64_t high = by.with.random.next();
        const std::uint64_t low = by.with.random.next();
        it.id = order_id::make(now, high, low);
    } else if (by.model.rules().ids == id_form::plain && !it.id.is_plain()) {
        return failure{errc::invalid_argument, "the id must be [A-Za-z0-9][A-Za-z0-9._:-]{0,63}"};
    }
    it.status = by.machine.initial();
    if (by.machine.is_settled(it.status)) it.settled_at = now;
    out.order = it.id.view();
    out.event = "create";
    return {};
}

result<void> lower_to(change& out, edit_fields& edit, const rules& by) {
    by.model.complete(edit.fields);
    if (auto ok = detail::validate_edit(by.model, edit.fields); !ok) return ok;
    if (!edit.fields.id.empty() && edit.fields.id.view() != edit.order) {
        return failure{errc::invalid_argument, "an edit cannot change the id of an order"};
    }
    out.order = std::move(edit.order);
    out.event = "edit";
    out.from = by.machine.statuses().first(1);  // the initial one
    out.unleased = true;
    out.action = edit_order{std::move(edit.fields)};
    return {};
}

// The rule of an attribute that changes in every status.
result<const attribute_rule*> find_open(const order_model& model, const std::string& name) {
    const attribute_rule* const rule = model.find(name);
    if (rule && rule->edits == attribute_edits::always) return rule;
    return failure{errc::invalid_argument, "attributes." + name.substr(0, shown_size_max) +
                                               (rule ? " does not change in every status"
                                                     : " is not an attribute of an order")};
}

result<void> lower_to(change& out, annotate& what, const rules& by) {
    for (const order_attribute& it : what.fields.attributes) {
        auto rule = find_open(by.model, it.name);
        if (!rule) return std::move(rule).error();
        if (auto breach = detail::check_attribute(**rule, it.value)) {
            return failure{errc::invalid_argument, "attributes." + it.name + " " + breach->detail};
        }
    }
    for (const std::string& name : what.fields.removed) {
        auto rule = find_open(by.model, name);
        if (!rule) return std::move(rule).error();
        if (!(*rule)->required) continue;
        return failure{errc::invalid_argument, "attributes." + name + " is required"};
    }
    out.order = std::move(what.order);
    out.event = "annotate";
    out.action = std::move(what.fields);
    return validate(out);
}

result<void> lower_to(change& out, raise_event& raise, const rules& by) {
    const status_machine& machine = by.machine;
    const transition* found = machine.find(raise.event);
    if (!found) {
        return failure{errc::not_found, "no event " + raise.event.substr(0, shown_size_max)};
    }
    if (auto ok = detail::check_reason("reason", raise.reason); !ok) return ok;
    if (machine.stage_active_in(found->to)) return errc::transition_rejected;
    transition_order move;
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

result<void> lower_to(change& out, erase_order& erase, const rules&) {
    out.order = std::move(erase.order);
    out.event = "delete";
    out.unleased = true;
    out.action = remove_order{};
    return {};
}

result<void> lower_to(change& out, redact_personal& redact, const rules&) {
    out.order = std::move(redact.order);
    out.event = "redact";
    out.action = redact_order{};
    return {};
}

result<void> lower_to(change& out, refresh_index& refresh, const rules&) {
    out.order = std::move(refresh.order);
    out.event = "index";
    out.action = index_order{};
    return {};
}

// Without an order the name stands for none, and look-ups of different keys may share a batch.
result<void> lower_to(change& out, find_key& find, const rules&) {
    if (!out.idempotency_key) {
        return failure{errc::invalid_argument, "there is no idempotency key to look up"};
    }
    out.order = std::move(find.order);
    if (out.order.empty()) {
        out.order = "?";
        for (const std::byte it : out.idempotency_key->key) {
            out.order += "0123456789abcdef"[std::to_integer<unsigned>(it) >> 4];
            out.order += "0123456789abcdef"[std::to_integer<unsigned>(it) & 15];
        }
    }
    out.event = "look_up";
    out.action = look_up_key{};
    return {};
}

// An order stays within what the principal may see: none is made or moved for somebody else. An
// edit that names no tenant keeps the order's.
result<void> check_scope(const command& what) {
    const auto* submit = std::get_if<submit_order>(&what.what);
    const auto* edit = std::get_if<edit_fields>(&what.what);
    if (!submit && !edit) return {};
    const order_draft& it = submit ? submit->value : edit->fields;
    if (what.scope.user && it.user != *what.scope.user) {
        return failure{errc::invalid_argument, "user_id must be the principal's own"};
    }
    if (!what.scope.tenant || it.tenant == *what.scope.tenant) return {};
    if (edit && it.tenant.empty()) return {};
    return failure{errc::invalid_argument, "tenant must be the principal's own"};
}

}  // namespace

result<void> detail::lower_into(change& out, command&& what, const status_machine& machine,
                                runtime& with, const order_model& model) {
    if (auto ok = check_scope(what); !ok) return ok;
    if (auto ok = check_actor(what.actor); !ok) return ok;
    if (auto ok = check_traceparent(what.traceparent); !ok) return ok;
    // Each field is set, here or by what follows.
    out.from = {};
    out.lease.reset();
    out.unleased = false;
    out.idempotency_key = what.idempotency_key;
    out.model = &model;
    const rules by{machine, model, with};
    const auto to = [&](auto& it) { return lower_to(out, it, by); };
    if (auto ok = std::visit(to, what.what); !ok) return ok;
    out.version = what.version;
    out.scope = std::move(what.scope);
    out.actor = std::move(what.actor);
    out.traceparent = std::move(what.traceparent);
    return {};
}

result<change> lower(command&& what, const status_machine& machine, runtime& with,
                     const order_model& model) {
    result<change> made;
    auto ok = detail::lower_into(*made, std::move(what), machine, with, model);
    if (!ok) made = std::move(ok).error();
    return made;
}

}  // namespace v1
}  // namespace orderproc
