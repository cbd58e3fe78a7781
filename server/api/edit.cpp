// PUT and PATCH of an order.

#include "api/api.hpp"
#include "api/preconditions.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"

#include <orderproc/json.hpp>

#include <string>
#include <utility>

namespace orderproc::server {

bool api::replace_order(const call& it, http::response& out, pending& todo) {
    if (!is_declared(it.in, "application/json")) {
        http::write_problem(problems::unsupported_media_type, "it has to be application/json",
                            it.in, out);
        return false;
    }
    return edit(it, &parse_replacement, out, todo);
}

bool api::patch_order(const call& it, http::response& out, pending& todo) {
    if (!is_declared(it.in, "application/merge-patch+json") &&
        !is_declared(it.in, "application/json")) {
        http::write_problem(problems::unsupported_media_type,
                            "it has to be application/merge-patch+json or application/json", it.in,
                            out);
        return false;
    }
    return edit(it, &parse_merge_patch, out, todo);
}

// What depends on the order as it is becomes a compare-and-set against the version that was
// looked at.
bool api::edit(const call& it, edit_parser* parse, http::response& out, pending& todo) {
    edit_fields fields;
    if (!expect_no_query(it.in, out) || !read_order_id(it, fields.order, out)) return false;
    parsed_edit parsed = parse(it.in.body, nullptr);
    if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    if (parsed.needs_current) {
        if (!todo.current && !it.key.empty()) {
            ask_for_key(std::move(fields.order), todo);
            return true;
        }
        if (!todo.current && !load_current(it.in, fields.order, out, todo)) return false;
        const if_match wanted(it.in);
        if (!wanted.admits(todo.current->version)) {
            http::write_problem(problems::precondition_failed, version_text(wanted, todo.current),
                                it.in, out);
            return false;
        }
        parsed = parse(it.in.body, &*todo.current);
        if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    }
    order& wanted = parsed.value;
    todo.asks_items = !todo.current || todo.current->item_ids != wanted.item_ids;
    fields.fields = {wanted.user_id, std::move(wanted.item_ids), wanted.total_amount,
                     std::move(wanted.metadata)};
    todo.what.what = std::move(fields);
    todo.what.version = expected_version(it.in, todo);
    todo.finish = &api::finish_edit;
    return true;
}

bool api::load_current(const http::request& in, const std::string& id, http::response& out,
                       pending& todo) {
    load_params params;
    params.ids = {&id, 1};
    auto loaded = reader_.use([&](repository& from) { return from.load(params); });
    if (!loaded) {
        fail(loaded.error(), in, out);
    } else if (!loaded->orders.at(0)) {
        http::write_problem(problems::not_found, {}, in, out);
    } else {
        todo.current = std::move(loaded->orders.at(0));
    }
    return todo.current.has_value();
}

// The key comes before the order's state: what was done already is the answer, whatever became
// of the order since. No order is at version 0, so this changes nothing: unless the key is
// known it is refused, and says how the order is now.
void api::ask_for_key(std::string id, pending& todo) {
    todo.what.what = erase_order{std::move(id)};
    todo.what.version = order_version{0};
    todo.finish = &api::finish_asking_for_key;
}

bool api::finish_asking_for_key(const http::request& in, change_outcome& outcome, pending& todo,
                                http::response& out) {
    if (outcome.ec == errc::version_conflict && outcome.after) {
        todo.current = std::move(outcome.after);
        return true;
    }
    return finish_edit(in, outcome, todo, out);
}

bool api::finish_edit(const http::request& in, change_outcome& outcome, pending& todo,
                      http::response& out) {
    if (outcome.ec) return settle_refusal(problems::not_editable, in, outcome, todo, out);
    write_order(outcome.after.value(), out);
    return false;
}

}  // namespace orderproc::server
