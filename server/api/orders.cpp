#include "api/api.hpp"
#include "api/preconditions.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"

#include <orderproc/json.hpp>

#include <string>
#include <utility>

namespace orderproc::server {

bool api::create_order(const call& it, http::response& out, pending& todo) {
    if (!is_declared(it.in, "application/json")) {
        http::write_problem(problems::unsupported_media_type, "it has to be application/json",
                            it.in, out);
        return false;
    }
    if (!expect_no_query(it.in, out)) return false;
    parsed_order parsed = parse_order(it.in.body, engine_.model());
    if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    todo.what.what.emplace<submit_order>(std::move(parsed.value));
    todo.finish = &api::finish_create;
    todo.asks_items = true;
    return true;
}

bool api::finish_create(const http::request& in, change_outcome& outcome, pending&,
                        http::response& out) {
    if (outcome.ec == errc::already_exists) {
        // Whose order was deleted, nobody can be shown.
        http::write_problem(problems::order_exists,
                            outcome.after
                                ? "GET /orders/" + path_name(outcome.after->id) + " shows it"
                                : "use another id",
                            in, out);
    } else if (outcome.ec) {
        fail_change(outcome, in, out);
    } else {
        const order& made = outcome.after.value();
        out.status = 201;
        // Relative to /orders, as the client sees that (RFC 9110, 10.2.2).
        out.fields.append("Location: orders/");
        append_path_name(made.id, out.fields);
        out.fields.append("\r\n");
        write_order(made, engine_.model(), out);
    }
    return false;
}

bool api::get_order(const call& it, http::response& out, pending& todo) {
    std::string id;
    std::optional<std::string> at;
    if (!read_order_id(it, id, out) || !read_parameter(it.in, "at", at, out)) return false;
    if (at) return get_order_at(it, std::move(id), *at, out, todo);
    todo.load = std::move(id);
    todo.use = &api::show_order;
    todo.use_answers = true;
    return true;
}

bool api::show_order(const http::request& in, loaded_order& it, pending&, http::response& out) {
    if (!it.found) {
        http::write_problem(problems::not_found, {}, in, out);
        return false;
    }
    out.add("ETag", etag(it.found->version).view());
    add_order_fields(it.newest, out);
    if (if_none_match_names(in, it.found->version)) {
        out.status = 304;
    } else {
        append_json(*it.found, out.body, engine_.model());
    }
    return false;
}

}  // namespace orderproc::server
