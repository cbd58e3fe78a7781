// Changes of an order as a whole: its events, and its end.

#include "api/api.hpp"
#include "api/preconditions.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"
#include "auth/audit.hpp"

#include <orderproc/json.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

bool open_to_clients(const transition* it) noexcept {
    return it && it->open_to_clients;
}

// Whether the caller holds the scope that the event names. One that nobody knows nobody holds.
bool may_raise(const caller& by, const transition& it) noexcept {
    const auto needed = auth::find_scope(it.scope);
    return needed && by.may(*needed);
}

std::string names_of_open_events(const status_machine& machine) {
    std::string out;
    for (const transition& it : machine.transitions()) {
        if (!it.open_to_clients) continue;
        if (!out.empty()) out.append(", ");
        out.append(it.event);
    }
    return out;
}

}  // namespace

bool api::delete_order(const call& it, http::response& out, pending& todo) {
    erase_order erase;
    if (!expect_no_query(it.in, out) || !read_order_id(it, erase.order, out)) return false;
    todo.what.what = std::move(erase);
    todo.what.version = expected_version(it.in, todo);
    todo.finish = &api::finish_delete;
    return true;
}

bool api::finish_delete(const http::request& in, change_outcome& outcome, pending& todo,
                        http::response& out) {
    if (outcome.ec) return settle_refusal(problems::transition_refused, in, outcome, todo, out);
    out.status = 204;
    out.fields.append(order_fields);
    return false;
}

bool api::cancel_order(const call& it, http::response& out, pending& todo) {
    return raise(it, "cancel", {}, out, todo);
}

bool api::retry_order(const call& it, http::response& out, pending& todo) {
    return raise(it, "retry", {}, out, todo);
}

bool api::raise_transition(const call& it, http::response& out, pending& todo) {
    if (!is_declared(it.in, "application/json")) {
        http::write_problem(problems::unsupported_media_type, "it has to be application/json",
                            it.in, out);
        return false;
    }
    parsed_transition parsed = parse_transition(it.in.body);
    if (parsed.ok() && !open_to_clients(engine_.machine().find(parsed.event))) {
        parsed.errors.push_back({"#/event", "unknown_event",
                                 "must be an event that clients may raise: " +
                                     names_of_open_events(engine_.machine())});
    }
    if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    return raise(it, std::move(parsed.event), std::move(parsed.reason), out, todo);
}

bool api::erase_personal(const call& it, http::response& out, pending& todo) {
    redact_personal redact;
    if (!expect_no_query(it.in, out) || !read_order_id(it, redact.order, out)) return false;
    todo.what.what = std::move(redact);
    todo.what.version = expected_version(it.in, todo);
    todo.finish = &api::finish_redaction;
    return true;
}

bool api::finish_redaction(const http::request& in, change_outcome& outcome, pending& todo,
                           http::response& out) {
    if (!outcome.ec) {
        const order& done = outcome.after.value();
        const std::string name = std::string(done.id.view()) + ", version " +
                                 std::to_string(static_cast<std::uint64_t>(done.version));
        todo.note = std::make_unique<change_record>(
            auth::to_record({done.updated_at, todo.by.name(), "order.redact", name}, tag_of(name)));
    }
    return finish_move(in, outcome, todo, out);
}

bool api::raise(const call& it, std::string event, std::string reason, http::response& out,
                pending& todo) {
    const transition* const known = engine_.machine().find(event);
    if (!open_to_clients(known)) {  // no such resource, then
        http::write_problem(problems::not_found, {}, it.in, out);
        return false;
    }
    if (!may_raise(todo.by, *known)) {
        write_forbidden(known->scope, it.in, out);
        return false;
    }
    raise_event raised{{}, std::move(event), std::move(reason)};
    if (!expect_no_query(it.in, out) || !read_order_id(it, raised.order, out)) return false;
    todo.what.what = std::move(raised);
    todo.what.version = expected_version(it.in, todo);
    todo.finish = &api::finish_move;
    return true;
}

bool api::finish_move(const http::request& in, change_outcome& outcome, pending& todo,
                      http::response& out) {
    if (outcome.ec) return settle_refusal(problems::transition_refused, in, outcome, todo, out);
    write_order(outcome.after.value(), engine_.model(), out);
    return false;
}

}  // namespace orderproc::server
