#include "api/api.hpp"
#include "api/preconditions.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"

#include <orderproc/json.hpp>

#include <string>
#include <utility>

namespace orderproc::server {

namespace {

// The same page with another cursor: a query alone, which stays on the path that the client asked
// for (RFC 3986, 5.2.2), whatever a proxy has made of that.
std::string next_link(const std::vector<query_parameter>& parameters, std::string_view cursor) {
    std::string out = "<?";
    for (const query_parameter& it : parameters) {
        if (it.name == "cursor") continue;
        percent_encode(it.name, out);
        out.append(1, '=');
        percent_encode(it.value, out);
        out.append(1, '&');
    }
    return out.append("cursor=").append(cursor).append(R"(>; rel="next")");
}

void write_page(const order_page& page, const list_query& query,
                const std::vector<query_parameter>& parameters, http::response& out) {
    add_order_fields(page.newest, out);
    out.body.append(R"({"items":[)");
    for (const order& one : page.orders) {
        if (&one != page.orders.data()) out.body.append(1, ',');
        append_json(one, out.body);
    }
    out.body.append(R"(],"next_cursor":)");
    if (page.next) {
        const std::string cursor = make_cursor(query, *page.next);
        out.body.append(1, '"').append(cursor).append(1, '"');
        out.add("Link", next_link(parameters, cursor));
    } else {
        out.body.append("null");
    }
    out.body.append(1, '}');
}

}  // namespace

bool api::create_order(const call& it, http::response& out, pending& todo) {
    if (!is_declared(it.in, "application/json")) {
        http::write_problem(problems::unsupported_media_type, "it has to be application/json",
                            it.in, out);
        return false;
    }
    if (!expect_no_query(it.in, out)) return false;
    parsed_order parsed = parse_order(it.in.body);
    if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    todo.what.what = submit_order{std::move(parsed.value)};
    todo.finish = &api::finish_create;
    todo.asks_items = true;
    return true;
}

bool api::finish_create(const http::request& in, change_outcome& outcome, pending&,
                        http::response& out) {
    if (outcome.ec == errc::already_exists) {
        // Whose order was deleted, nobody can be shown.
        http::write_problem(
            problems::order_exists,
            outcome.after ? "GET /orders/" + std::string(outcome.after->id.view()) + " shows it"
                          : "use another id",
            in, out);
    } else if (outcome.ec) {
        fail_change(outcome, in, out);
    } else {
        const order& made = outcome.after.value();
        out.status = 201;
        // Relative to /orders, as the client sees that (RFC 9110, 10.2.2).
        out.fields.append("Location: orders/").append(made.id.view()).append("\r\n");
        write_order(made, out);
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
        append_json(*it.found, out.body);
    }
    return false;
}

bool api::list_orders(const call& it, http::response& out, pending& todo) {
    return read_page(it, std::nullopt, out, todo);
}

bool api::list_orders_by_status(const call& it, http::response& out, pending& todo) {
    const auto decoded = percent_decode(it.parameter);
    const auto status = decoded ? find_status(*decoded, engine_.machine()) : std::nullopt;
    if (!decoded) {
        http::write_problem(problems::bad_request, "the path is malformed", it.in, out);
    } else if (!status) {
        std::string members;
        append_words("allowed_values", names_of_statuses(engine_.machine()), members);
        http::write_problem(problems::not_found, "there is no such status", it.in, out, members);
    } else {
        return read_page(it, status, out, todo);
    }
    return false;
}

bool api::read_page(const call& it, std::optional<order_status> fixed, http::response& out,
                    pending& todo) {
    auto parameters = parse_query(it.in.query);
    if (!parameters) {
        http::write_problem(problems::bad_request, "the query is malformed", it.in, out);
        return false;
    }
    list_query query;
    if (const auto bad = parse_list_query(*parameters, engine_.machine(), fixed, query)) {
        write_bad_parameter(bad->name, bad->detail, it.in, out, bad->allowed);
        return false;
    }
    todo.read = read_then([query](repository_reader& from) { return from.list(query.params()); },
                          [query, given = std::move(*parameters)](
                              const order_page& page, const http::request&, http::response& to) {
                              write_page(page, query, given, to);
                          });
    return true;
}

}  // namespace orderproc::server
