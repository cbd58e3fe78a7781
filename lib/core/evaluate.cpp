#include <orderproc/change.hpp>

#include <algorithm>
#include <utility>

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
}

void apply(evaluation& out, const edit_order& edit, write_time at) {
    touch(out.after, at);
    std::string tenant = std::move(out.after.value.tenant);
    static_cast<order_content&>(out.after.value) = edit.content;
    out.after.value.tenant = std::move(tenant);
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
}

void apply(evaluation& out, const remove_order&, write_time at) {
    touch(out.after, at);
    end_lease(out.after);
    out.after.due_at.reset();
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
    const auto* edit = std::get_if<edit_order>(&what.action);
    if (!edit) return {};
    // An attempt may have had its effect although its answer was lost: the next one has the
    // same idempotency key and would be answered for the content of before.
    if (current.value.first_claimed_at) return errc::transition_rejected;
    const std::string& tenant = edit->content.tenant;
    if (!tenant.empty() && tenant != current.value.tenant) return errc::invalid_argument;
    return {};
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
    if (const auto* move = std::get_if<transition_order>(&what.action)) {
        there ? stay(*out, *move, at) : apply(*out, *move, at);
    } else if (const auto* edit = std::get_if<edit_order>(&what.action)) {
        apply(*out, *edit, at);
    } else if (const auto* renew = std::get_if<renew_lease>(&what.action)) {
        apply(*out, *renew);
    } else {
        apply(*out, std::get<remove_order>(what.action), at);
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
