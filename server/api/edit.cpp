// PUT and PATCH of an order, and of its annotations.

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

namespace {

bool expect_patch(const http::request& in, http::response& out) {
    if (is_declared(in, "application/merge-patch+json") || is_declared(in, "application/json")) {
        return true;
    }
    http::write_problem(problems::unsupported_media_type,
                        "it has to be application/merge-patch+json or application/json", in, out);
    return false;
}

}  // namespace

bool api::patch_order(const call& it, http::response& out, pending& todo) {
    return expect_patch(it.in, out) && edit(it, &parse_merge_patch, out, todo);
}

bool api::patch_annotations(const call& it, http::response& out, pending& todo) {
    annotate what;
    if (!expect_patch(it.in, out) || !expect_no_query(it.in, out) ||
        !read_order_id(it, what.order, out)) {
        return false;
    }
    const order_model& model = engine_.model();
    parsed_annotation parsed = parse_annotation(it.in.body, nullptr, model);
    if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    if (parsed.needs_current) {
        bool waits = false;
        if (!knows_current(it, what.order, waits, out, todo)) return waits;
        parsed = parse_annotation(it.in.body, &*todo.current, model);
        if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    }
    what.fields = std::move(parsed.value);
    todo.what.what = std::move(what);
    todo.what.version = expected_version(it.in, todo);
    todo.finish = &api::finish_edit;
    return true;
}

// Whether the order is known, and at a version that If-Match admits. False: answered, unless
// something is to be waited for, after which the handler is asked again.
bool api::knows_current(const call& it, std::string& id, bool& waits, http::response& out,
                        pending& todo) {
    if (!todo.current) {
        waits = true;
        if (!it.key.empty()) {
            ask_for_key(std::move(id), todo);
        } else {
            todo.load = std::move(id);
            todo.use = &api::edit_loaded;
        }
        return false;
    }
    const if_match wanted(it.in);
    if (wanted.admits(todo.current->version)) return true;
    http::write_problem(problems::precondition_failed, version_text(wanted, todo.current), it.in,
                        out);
    return false;
}

// What depends on the order as it is becomes a compare-and-set against the version that was
// looked at.
bool api::edit(const call& it, edit_parser* parse, http::response& out, pending& todo) {
    edit_fields fields;
    if (!expect_no_query(it.in, out) || !read_order_id(it, fields.order, out)) return false;
    const order_model& model = engine_.model();
    parsed_edit parsed = parse(it.in.body, nullptr, model);
    if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    if (parsed.needs_current) {
        bool waits = false;
        if (!knows_current(it, fields.order, waits, out, todo)) return waits;
        parsed = parse(it.in.body, &*todo.current, model);
        if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    }
    todo.asks_items = !todo.current || todo.current->item_ids != parsed.value.item_ids ||
                      todo.current->lines != parsed.value.lines;
    fields.fields = std::move(parsed.value);
    todo.what.what = std::move(fields);
    todo.what.version = expected_version(it.in, todo);
    todo.finish = &api::finish_edit;
    return true;
}

bool api::edit_loaded(const http::request& in, loaded_order& it, pending& todo,
                      http::response& out) {
    if (!it.found) http::write_problem(problems::not_found, {}, in, out);
    todo.current = std::move(it.found);
    return todo.current.has_value();
}

// The key comes before the order's state: what was done already is the answer, whatever became
// of the order since.
void api::ask_for_key(std::string id, pending& todo) {
    todo.what.what = find_key{std::move(id)};
    todo.what.version.reset();
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
    write_order(outcome.after.value(), engine_.model(), out);
    return false;
}

}  // namespace orderproc::server
