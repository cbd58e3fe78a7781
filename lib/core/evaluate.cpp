#include "core/model_rules.hpp"

#include <orderproc/change.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

// errc that refuses the change in the order's present state, if any.
error_code refusal(const stored_order& current, const change& what) {
    if (!what.scope.admits(current.value)) return errc::not_found;
    if (what.lease && (!current.leased || current.lease != *what.lease)) return errc::lease_lost;
    if (what.version && current.value.version != *what.version) return errc::version_conflict;
    if (what.unleased && current.leased) return errc::transition_rejected;
    return {};
}

bool in(std::span<const order_status> statuses, order_status status) {
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

void touch(stored_order& it, write_time at) {
    it.value.version = order_version{static_cast<std::uint64_t>(it.value.version) + 1};
    it.value.updated_at = at.stamp;
}

void end_lease(stored_order& it) {
    it.leased = false;
    it.span = {};
    it.worker_id.clear();
}

const order_model& model_of(const change& what) noexcept {
    return what.model ? *what.model : order_model::standard();
}

void index(stored_order& it, const change& what) {
    if (what.model && what.model->has_indexes()) it.index = what.model->index_of(it.value);
}

// Whether an edit leaves alone what never changes.
bool keeps_fixed(const order_content& current, const edit_order& edit, const change& what) {
    if (!what.model || !what.model->has_fixed()) return true;
    for (const attribute_rule* const rule : what.model->attributes()) {
        if (rule->edits != attribute_edits::never) continue;
        const order_attribute* const was = detail::find_attribute(current.attributes, rule->name);
        const order_attribute* const is =
            detail::find_attribute(edit.content.attributes, rule->name);
        // An order that is older than the attribute gets its default value.
        if (!was && is && rule->default_value == is->value) continue;
        if (!was != !is || (was && *was != *is)) return false;
    }
    return true;
}

// What follows fills in a new evaluation of the order, which it takes over.
void begin(evaluation& out, stored_order&& current, const change& what) {
    out.after = std::move(current);
    out.journaled = true;
    out.event = what.event;
    out.from = out.after.value.status;
    out.actor = what.actor;
    if (!what.lease) out.after.traceparent = what.traceparent;
}

void apply(evaluation& out, const create_order& create, const change& what, write_time at) {
    out.journaled = true;
    out.event = what.event;
    out.actor = what.actor;
    out.after.value = create.value;
    out.after.traceparent = what.traceparent;
    out.after.value.version = order_version{1};
    out.after.value.created_at = at.stamp;
    out.after.value.updated_at = at.stamp;
    if (create.value.settled_at) out.after.value.settled_at = at.stamp;
    if (create.queued) out.after.due_at = create.value.next_attempt_at.value_or(at.now);
    index(out.after, what);
}

void apply(evaluation& out, const edit_order& edit, const change& what, write_time at) {
    touch(out.after, at);
    order_content& it = out.after.value;
    std::string tenant = std::move(it.tenant);
    std::string annotations = std::move(it.annotations);
    it = edit.content;
    it.tenant = std::move(tenant);
    if (it.annotations.empty()) it.annotations = std::move(annotations);
    index(out.after, what);
}

void apply(evaluation& out, const annotate_order& annotate, const change& what, write_time at) {
    touch(out.after, at);
    order_content& it = out.after.value;
    if (annotate.annotations) it.annotations = *annotate.annotations;
    std::erase_if(it.attributes, [&](const order_attribute& had) {
        const auto& gone = annotate.removed;
        return std::find(gone.begin(), gone.end(), had.name) != gone.end() ||
               detail::find_attribute(annotate.attributes, had.name);
    });
    const auto middle = static_cast<std::ptrdiff_t>(it.attributes.size());
    it.attributes.insert(it.attributes.end(), annotate.attributes.begin(),
                         annotate.attributes.end());
    std::inplace_merge(
        it.attributes.begin(), it.attributes.begin() + middle, it.attributes.end(),
        [](const order_attribute& a, const order_attribute& b) { return a.name < b.name; });
    index(out.after, what);
}

void apply(evaluation& out, const redact_order&, const change& what, write_time at) {
    touch(out.after, at);
    model_of(what).redact(out.after.value);
    out.redacted = true;
    index(out.after, what);
}

void apply(evaluation& out, const index_order&, const change& what) {
    out.journaled = false;
    out.after.index.clear();
    index(out.after, what);
}

// There already: a success that changes nothing, unless it waits for later and is wanted now.
void stay(evaluation& out, const transition_order& move, write_time at) {
    stored_order& it = out.after;
    const timestamp wanted = move.next_attempt_at.value_or(at.now);
    if (!move.queued || it.leased || (it.due_at && *it.due_at <= wanted)) {
        out.journaled = false;
        return;
    }
    touch(it, at);
    it.value.next_attempt_at = move.next_attempt_at;
    it.due_at = wanted;
    it.span = move.backoff;
    out.reason = move.reason;
}

void apply(evaluation& out, const transition_order& move, write_time at) {
    out.completed = move.completes && out.after.leased;
    touch(out.after, at);
    end_lease(out.after);
    if (!move.interrupted) out.after.expired_leases = 0;
    out.after.due_at.reset();
    if (move.queued) out.after.due_at = move.next_attempt_at.value_or(at.now);
    if (move.queued) out.after.span = move.backoff;
    order& it = out.after.value;
    it.status = move.to;
    it.next_attempt_at = move.next_attempt_at;
    if (move.attempts) it.attempts = *move.attempts;
    if (move.last_error) it.last_error = *move.last_error;
    it.settled_at = move.settles ? std::optional(at.stamp) : std::nullopt;
    out.reason = move.reason;
}

void apply(evaluation& out, const renew_lease& renew) {
    out.journaled = false;
    out.after.due_at = renew.expires_at;
    if (!renew.handed_over) return;
    out.after.span = *renew.handed_over;
    out.after.expired_leases = 0;
    out.after.worker_id.clear();
}

void apply(evaluation& out, const remove_order&, write_time at) {
    touch(out.after, at);
    end_lease(out.after);
    out.after.due_at.reset();
    out.after.index.clear();
    out.removed = true;
}

// errc that refuses the change because of the status that the order has, or of what it has been
// through.
error_code mismatch(const stored_order& current, const change& what) {
    if (!what.from.empty() && !in(what.from, current.value.status)) {
        const auto* move = std::get_if<transition_order>(&what.action);
        const bool stays = move && move->repeatable && move->to == current.value.status;
        return stays ? error_code() : errc::transition_rejected;
    }
    if (std::holds_alternative<renew_lease>(what.action) && !current.leased) {
        return errc::lease_lost;
    }
    if (std::holds_alternative<redact_order>(what.action)) {
        const bool settled = current.value.settled_at && !current.leased;
        return settled ? error_code() : errc::transition_rejected;
    }
    const auto* edit = std::get_if<edit_order>(&what.action);
    if (!edit) return {};
    // An attempt may have had its effect although its answer was lost: the next one has the
    // same idempotency key and would be answered for the content of before.
    if (current.value.first_claimed_at) return errc::transition_rejected;
    const std::string& tenant = edit->content.tenant;
    if (!tenant.empty() && tenant != current.value.tenant) return errc::invalid_argument;
    return keeps_fixed(current.value, *edit, what) ? error_code() : errc::invalid_argument;
}

// Does to the order, which begin() took over, what the change says. there: see stay().
void act(evaluation& out, const change& what, bool there, write_time at) {
    if (const auto* move = std::get_if<transition_order>(&what.action)) {
        there ? stay(out, *move, at) : apply(out, *move, at);
    } else if (const auto* edit = std::get_if<edit_order>(&what.action)) {
        apply(out, *edit, what, at);
    } else if (const auto* annotate = std::get_if<annotate_order>(&what.action)) {
        apply(out, *annotate, what, at);
    } else if (const auto* renew = std::get_if<renew_lease>(&what.action)) {
        apply(out, *renew);
    } else if (const auto* redact = std::get_if<redact_order>(&what.action)) {
        apply(out, *redact, what, at);
    } else if (const auto* refresh = std::get_if<index_order>(&what.action)) {
        apply(out, *refresh, what);
    } else {
        apply(out, std::get<remove_order>(what.action), at);
    }
}

}  // namespace

result<evaluation> evaluate(const stored_order* current, const change& what, write_time at) {
    if (current) return evaluate(stored_order(*current), what, at);
    const auto* create = std::get_if<create_order>(&what.action);
    if (!create) return errc::not_found;
    result<evaluation> out;
    apply(*out, *create, what, at);
    return out;
}

result<evaluation> evaluate(stored_order&& current, const change& what, write_time at) {
    if (std::holds_alternative<create_order>(what.action)) return errc::already_exists;
    if (const error_code ec = refusal(current, what)) return failure{ec};
    if (std::holds_alternative<look_up_key>(what.action)) return errc::version_conflict;
    if (const error_code ec = mismatch(current, what)) return failure{ec};
    const bool there = !what.from.empty() && !in(what.from, current.value.status);
    result<evaluation> out;
    begin(*out, std::move(current), what);
    act(*out, what, there, at);
    return out;
}

result<evaluation> evaluate_deleted(order&& last, const change& what, write_time at) {
    if (!std::holds_alternative<redact_order>(what.action) || !what.scope.admits(last)) {
        return errc::not_found;
    }
    if (what.version && last.version != *what.version) return errc::version_conflict;
    result<evaluation> out;
    stored_order was;
    was.value = std::move(last);
    begin(*out, std::move(was), what);
    act(*out, what, false, at);
    out->after.index.clear();
    out->removed = true;
    return out;
}

}  // namespace v1
}  // namespace orderproc
