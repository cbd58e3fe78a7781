#include <orderproc/change.hpp>

#include <algorithm>

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

evaluation begin(const stored_order& current, const change& what) {
    evaluation out;
    out.after = current;
    out.journaled = true;
    out.event = what.event;
    out.from = current.value.status;
    out.actor = what.actor;
    if (!what.lease) out.after.traceparent = what.traceparent;
    return out;
}

evaluation apply(const create_order& create, const change& what, write_time at) {
    evaluation out;
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
    return out;
}

evaluation apply(const edit_order& edit, const stored_order& current, const change& what,
                 write_time at) {
    evaluation out = begin(current, what);
    touch(out.after, at);
    static_cast<order_content&>(out.after.value) = edit.content;
    out.after.value.tenant = current.value.tenant;
    return out;
}

// There already: a success that changes nothing, unless it waits for later and is wanted now.
evaluation stay(const transition_order& move, const stored_order& current, const change& what,
                write_time at) {
    evaluation out = begin(current, what);
    const timestamp wanted = move.next_attempt_at.value_or(at.now);
    if (!move.queued || current.leased || (current.due_at && *current.due_at <= wanted)) {
        out.journaled = false;
        return out;
    }
    touch(out.after, at);
    out.after.value.next_attempt_at = move.next_attempt_at;
    out.after.due_at = wanted;
    out.after.span = move.backoff;
    out.reason = move.reason;
    return out;
}

evaluation apply(const transition_order& move, const stored_order& current, const change& what,
                 write_time at) {
    evaluation out = begin(current, what);
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
    out.completed = move.completes && current.leased;
    return out;
}

}  // namespace

result<evaluation> evaluate(const stored_order* current, const change& what, write_time at) {
    if (const auto* create = std::get_if<create_order>(&what.action)) {
        if (current) return errc::already_exists;
        return apply(*create, what, at);
    }
    if (!current) return errc::not_found;
    if (const error_code ec = refusal(*current, what)) return failure{ec};
    if (std::holds_alternative<look_up_key>(what.action)) return errc::version_conflict;

    const auto* move = std::get_if<transition_order>(&what.action);
    if (!what.from.empty() && !in(what.from, current->value.status)) {
        if (move && move->repeatable && move->to == current->value.status) {
            return stay(*move, *current, what, at);
        }
        return errc::transition_rejected;
    }
    if (move) return apply(*move, *current, what, at);
    if (const auto* edit = std::get_if<edit_order>(&what.action)) {
        // An attempt may have had its effect although its answer was lost: the next one has the
        // same idempotency key and would be answered for the content of before.
        if (current->value.first_claimed_at) return errc::transition_rejected;
        const std::string& tenant = edit->content.tenant;
        if (!tenant.empty() && tenant != current->value.tenant) return errc::invalid_argument;
        return apply(*edit, *current, what, at);
    }
    evaluation out = begin(*current, what);
    if (const auto* renew = std::get_if<renew_lease>(&what.action)) {
        if (!current->leased) return errc::lease_lost;
        out.journaled = false;
        out.after.due_at = renew->expires_at;
        return out;
    }
    touch(out.after, at);  // remove_order
    end_lease(out.after);
    out.after.due_at.reset();
    out.removed = true;
    return out;
}

}  // namespace v1
}  // namespace orderproc
