#include "api/api.hpp"

#include "api/idempotency.hpp"
#include "api/problems.hpp"
#include "api/refusals.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"
#include "auth/api_key.hpp"

#include <exception>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t instance_size = 16;

}  // namespace

api::api(engine& orders, read_pool& reads, api_parts parts)
    : engine_(orders),
      reads_(reads),
      parts_(std::move(parts)),
      seal_(parts_.cursor_secret.empty() ? auth::random_text(cursor_seal::secret_size_min)
                                         : parts_.cursor_secret),
      instance_(parts_.instance.empty() ? auth::random_text(instance_size) : parts_.instance) {}

void api::begin(const http::request& in, caller by, std::optional<pending>& todo,
                http::response& out) noexcept {
    try {
        todo.emplace().by = std::move(by);
        if (!dispatch(in, out, *todo)) todo.reset();
    } catch (...) {
        todo.reset();
        fail_with_exception(in, out);
    }
}

bool api::finish(pending& of, const http::request& in, change_outcome& outcome,
                 http::response& out) noexcept {
    try {
        if (outcome.ec == errc::idempotency_mismatch) {
            http::write_problem(problems::idempotency_mismatch, {}, in, out);
            return false;
        }
        const bool unknown_key =
            outcome.ec == errc::not_found || outcome.ec == errc::version_conflict;
        if (of.refused && unknown_key) {
            write_refusal(*of.refused, in, out);
            return false;
        }
        if (of.by.bound() && outcome.after) conceal(*outcome.after);
        const bool replayed = outcome.replayed;
        if ((this->*of.finish)(in, outcome, of, out)) {
            of.what = {};
            return dispatch(in, out, of);
        }
        if (replayed) out.add("Idempotency-Replayed", "true");
        return of.note != nullptr;
    } catch (...) {
        fail_with_exception(in, out);
        return false;
    }
}

// One that is there already was written by whoever asked before. Without the note nothing is
// acknowledged: to ask again does no harm.
void api::finish_note(const http::request& in, error_code ec, http::response& out) noexcept {
    if (!ec || ec == errc::already_exists || ec == errc::not_supported) return;
    try {
        out.clear();
        fail(failure{ec}, in, out);
    } catch (...) {
        fail_with_exception(in, out);
    }
}

bool api::finish_load(pending& of, const http::request& in, result<loaded_order>& loaded,
                      http::response& out) noexcept {
    try {
        of.load.clear();
        if (!loaded) {
            fail(loaded.error(), in, out);
            return false;
        }
        // Somebody else's order is as if it was not there.
        if (loaded->found && !of.by.sees(*loaded->found)) loaded->found.reset();
        if (loaded->found && of.by.bound()) conceal(*loaded->found);
        return (this->*of.use)(in, *loaded, of, out) && dispatch(in, out, of);
    } catch (...) {
        fail_with_exception(in, out);
        return false;
    }
}

void api::finish_read(pending& of, const http::request& in, result<void>& done,
                      http::response& out) noexcept {
    try {
        if (!done && done.error().code == errc::version_conflict) {
            return http::write_problem(problems::version_conflict, {}, in, out);
        }
        if (!done && !of.read_may_fail) return fail(done.error(), in, out);
        of.read->answer(in, out);
    } catch (...) {
        fail_with_exception(in, out);
    }
}

route_match api::find_route(const http::request& in) const noexcept {
    const route_match matched = match(in.method, in.path);
    if (parts_.operations_only && !(matched.path_known && is_operation(in.path))) return {};
    return matched;
}

bool api::dispatch(const http::request& in, http::response& out, pending& todo) {
    const route_match matched = find_route(in);
    if (matched.found) return handle(matched, in, out, todo);
    if (!matched.path_known && !(in.path == "*" && in.method == "OPTIONS")) {
        http::write_problem(problems::not_found,
                            parts_.operations_only ? "" : "/docs shows what there is", in, out);
    } else if (in.method == "OPTIONS") {
        out.status = 204;
        out.add("Allow", allowed_methods(in.path));
    } else {
        http::write_problem(problems::method_not_allowed, {}, in, out);
        out.add("Allow", allowed_methods(in.path));
    }
    return false;
}

bool api::handle(const route_match& matched, const http::request& in, http::response& out,
                 pending& todo) {
    if (!still_may(matched.found->needs, todo.by, in, out)) return false;
    key_field key;
    if (matched.found->method != "GET") key = read_idempotency_key(in);
    if (!key.valid) {
        http::write_problem(problems::invalid_idempotency_key, {}, in, out);
        return false;
    }
    if (!in.body.empty() && is_encoded(in)) {
        http::write_problem(problems::unsupported_media_type,
                            "Content-Encoding has to be identity: send the body as it is", in, out);
        out.add("Accept-Encoding", "identity");
        return false;
    }
    const auto [parameter, second] = matched.carried;
    const call it{in, parameter, second, key.text};
    if (!(this->*matched.found->handle)(it, out, todo)) return false;
    if (!parts_.items) todo.asks_items = false;
    if (todo.many || todo.reads()) return true;  // batch: each of its commands is whole already
    if (key.text.empty()) {
        speak_for(todo.by, in, matched.found->name, {}, {}, {}, todo.what);
    } else {
        // Whichever way the path names the order, it is one request.
        const std::string order = named_order(parameter).value_or("");
        std::string body(in.body);
        if (!second.empty()) body.append(1, '\n').append(second);  // a part of what is asked for
        speak_for(todo.by, in, matched.found->name, order, key.text, body, todo.what);
    }
    if (!todo.made) return true;
    todo.made->actor = std::move(todo.what.actor);
    todo.made->scope = std::move(todo.what.scope);
    todo.made->idempotency_key = todo.what.idempotency_key;
    return true;
}

void api::fail(const failure& why, const http::request& in, http::response& out) {
    write_failure(why.code, in, out);
    if (out.status == 500) {
        engine_.runtime().observer.error("http",
                                         {why.code, std::string(in.id) + ": " + why.detail});
    }
}

// Bodies are judged before, but a patch keeps parts of an order that may be older than a rule.
void api::fail_change(const change_outcome& why, const http::request& in, http::response& out) {
    if (why.ec == errc::attribute_taken) return write_taken(why, engine_.model(), in, out);
    const bool by_rule = why.ec == errc::invalid_argument && !why.detail.empty();
    if (!by_rule) return fail({why.ec, why.detail}, in, out);
    http::write_problem(problems::validation, why.detail, in, out);
}

void api::fail_with_exception(const http::request& in, http::response& out) noexcept {
    try {
        std::string what = "an exception";
        try {
            throw;
        } catch (const std::exception& e) {
            what = e.what();
        } catch (...) {
        }
        http::write_problem(problems::internal, {}, in, out);
        engine_.runtime().observer.error(
            "http", {make_error_code(boost::system::errc::state_not_recoverable),
                     std::string(in.id) + ": " + what});
    } catch (...) {  // not even memory for that
        out.clear();
        out.status = 500;
    }
}

}  // namespace orderproc::server
