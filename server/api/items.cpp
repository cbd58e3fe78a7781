// What the item checker is asked, and what its answer means.

#include "api/api.hpp"
#include "api/item_refusal.hpp"
#include "api/problems.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

// What of an order the command has; nullptr: nothing.
const order_content* content_of(const command& it) noexcept {
    if (const auto* create = std::get_if<submit_order>(&it.what)) return &create->value;
    if (const auto* edit = std::get_if<edit_fields>(&it.what)) return &edit->fields;
    return nullptr;
}

void append_items(const command& it, std::vector<std::string>& out) {
    if (const order_content* const content = content_of(it)) append_skus(*content, out);
}

}  // namespace

void collect_items(const pending& todo, std::vector<std::string>& out) {
    out.clear();
    if (!todo.many) return append_items(todo.what, out);
    for (const batch::item& it : todo.many->items()) {
        if (it.status == 0) append_items(it.what, out);
    }
}

void write_refusal(const refused_items& why, const http::request& in, http::response& out) {
    if (why.ec) return write_failure(problems::items_unavailable, in, out);
    std::vector<field_error> errors;
    for (const std::size_t at : why.unknown) {
        if (errors.size() == parsed_order::errors_max) break;
        errors.push_back({why.lines ? "#/lines/" + std::to_string(at) + "/sku"
                                    : "#/item_ids/" + std::to_string(at),
                          "unknown_item", "is not an item that can be ordered"});
    }
    write_validation(errors, in, out);
}

bool ask_for_key_instead(command& refused) {
    if (!refused.idempotency_key) return false;
    find_key find;
    if (auto* edit = std::get_if<edit_fields>(&refused.what)) find.order = std::move(edit->order);
    refused.what = std::move(find);
    refused.version.reset();
    return true;
}

bool api::judge_items(pending& of, const http::request& in, error_code ec,
                      std::span<const std::size_t> unknown, http::response& out) noexcept {
    try {
        of.asks_items = false;
        if (!ec && unknown.empty()) return true;
        if (of.many) {
            of.many->refuse_items(ec, unknown, in);
            return true;
        }
        const order_content* const content = content_of(of.what);
        refused_items why{ec, {unknown.begin(), unknown.end()}, content && !content->lines.empty()};
        if (!ask_for_key_instead(of.what)) {
            write_refusal(why, in, out);
            return false;
        }
        of.refused = std::move(why);
        return true;
    } catch (...) {
        fail_with_exception(in, out);
        return false;
    }
}

}  // namespace orderproc::server
