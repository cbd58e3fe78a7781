// Pages of orders.

#include "api/api.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"

#include <orderproc/changed_orders.hpp>
#include <orderproc/json.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

void write_page(const std::vector<order>& orders, const order_model& model,
                const std::optional<std::string>& next_cursor,
                const std::optional<list_total>& total,
                const std::vector<query_parameter>& parameters, http::response& out) {
    out.body.append(R"({"items":[)");
    for (const order& one : orders) {
        if (&one != orders.data()) out.body.append(1, ',');
        append_json(one, out.body, model);
    }
    out.body.append(R"(],"next_cursor":)");
    if (next_cursor) {
        out.body.append(1, '"').append(*next_cursor).append(1, '"');
        out.add("Link", next_link(parameters, "cursor", *next_cursor));
    } else {
        out.body.append("null");
    }
    if (total) {
        out.body.append(R"(,"total":{"value":)").append(std::to_string(total->orders));
        out.body.append(R"(,"exact":)").append(total->more ? "false}" : "true}");
    }
    out.body.append(1, '}');
}

// What a caller that is bound gets to see of a page.
template <class Page>
result<Page> concealed(result<Page> page, bool bound) {
    if (!page || !bound) return page;
    for (order& it : page->orders) conceal(it);
    return page;
}

}  // namespace

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
    const list_resource of{engine_.machine(), engine_.model(), fixed, &seal_};
    if (const auto bad = parse_list_query(*parameters, of, todo.by, query)) {
        write_bad_parameter(*bad, it.in, out);
        return false;
    }
    if (query.total && todo.by.bound()) {
        write_bad_parameter("total", "is not for those who see their own orders alone", it.in, out);
        return false;
    }
    if (query.updated_from) return read_changes(std::move(query), std::move(*parameters), todo);
    if (query.order_id) return read_one(std::move(query), todo);
    todo.read = read_then(
        [query, bound = todo.by.bound()](repository_reader& from) {
            return concealed(from.list(query.params()), bound);
        },
        [this, query, given = std::move(*parameters)](const order_page& page, const http::request&,
                                                      http::response& to) {
            std::optional<std::string> next;
            if (page.next) next = make_cursor(query, *page.next);
            add_order_fields(page.newest, to);
            write_page(page.orders, engine_.model(), next, page.total, given, to);
        });
    return true;
}

// The page of the one order that there can be.
bool api::read_one(list_query query, pending& todo) {
    todo.read = read_then(
        [query](repository_reader& from) {
            return from.load({{&*query.order_id, 1}, query.scope});
        },
        [this, query, bound = todo.by.bound()](loaded_orders& found, const http::request&,
                                               http::response& to) {
            std::vector<order> orders;
            std::optional<order>& it = found.orders.at(0);
            if (it && query.has_status(it->status)) orders.push_back(std::move(*it));
            if (bound)
                std::for_each(orders.begin(), orders.end(), [](order& one) { conceal(one); });
            add_order_fields(found.newest, to);
            write_page(orders, engine_.model(), {}, {}, {}, to);
        });
    return true;
}

bool api::read_changes(list_query query, std::vector<query_parameter> parameters, pending& todo) {
    todo.read = read_then(
        [query, bound = todo.by.bound()](repository_reader& from) {
            return concealed(list_changed(from, query.changes()), bound);
        },
        [this, query, given = std::move(parameters)](const changed_page& page,
                                                     const http::request& in, http::response& to) {
            if (page.reset) {
                return write_bad_parameter("cursor",
                                           "its place is no longer in the journal: begin again "
                                           "without it",
                                           in, to);
            }
            std::optional<std::string> next;
            if (page.next) next = make_cursor(query, *page.next);
            add_order_fields(page.newest, to);
            write_page(page.orders, engine_.model(), next, {}, given, to);
        });
    return true;
}

}  // namespace orderproc::server
