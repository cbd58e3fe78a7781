// Orders that failed, by reason.

#include "api/api.hpp"
#include "api/json_writer.hpp"
#include "api/problems.hpp"
#include "api/query_values.hpp"
#include "api/representation.hpp"
#include "api/shared_facts.hpp"
#include "http/base64url.hpp"

#include <orderproc/dead_letters.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

void write_groups(const dead_letter_groups& all, std::string& out) {
    json_writer to(out);
    to.open('{').name("orders").number(all.orders).name("looked_at").number(all.looked_at);
    to.name("complete").boolean(all.complete).name("groups").open('[');
    for (const dead_letter_group& it : all.groups) {
        to.open('{').name("reason").text(it.reason).name("orders").number(it.orders);
        to.name("first_at").time(it.first_at).name("last_at").time(it.last_at);
        to.name("last_hour").number(it.recent).name("example").open('{');
        to.name("order_id").text(it.example_order);
        to.name("last_error").text(it.example_reason).close('}').close('}');
    }
    to.close(']').name("other_orders").number(all.other_orders).close('}');
}

// A page goes on behind an order: when that was made, in milliseconds, and its number.
std::string to_cursor(const list_position& at) {
    return http::to_base64url(std::to_string(at.at.time_since_epoch().count()) + "." +
                              std::to_string(at.number));
}

std::optional<list_position> read_cursor(std::string_view text) {
    const auto whole = http::from_base64url(text);
    const std::size_t dot = whole ? whole->find('.') : std::string::npos;
    if (dot == std::string::npos) return std::nullopt;
    std::int64_t at = 0;
    list_position out;
    const std::string_view both = *whole;
    if (!parse_integer(both.substr(0, dot), INT64_MIN, INT64_MAX, at)) return std::nullopt;
    if (!parse_integer(both.substr(dot + 1), std::int64_t{1}, INT64_MAX, out.number)) {
        return std::nullopt;
    }
    out.at = timestamp(std::chrono::milliseconds(at));
    return out;
}

void write_orders(const order_page& page, const order_model& model, http::response& out) {
    add_order_fields(page.newest, out);
    out.body.append(R"({"items":[)");
    for (const order& it : page.orders) {
        if (out.body.back() != '[') out.body.append(1, ',');
        append_json(it, out.body, model);
    }
    out.body.append(R"(],"next_cursor":)");
    json_writer(out.body).text_or_null(page.next ? to_cursor(*page.next) : std::string());
    out.body.append(1, '}');
}

class groups_read final : public facts_read {
public:
    using facts_read::facts_read;
    void answer(const http::request&, http::response& out) override {
        out.add("Cache-Control", "no-store");
        write_groups(facts()->dead, out.body);
    }
};

}  // namespace

bool api::list_group(const call& it, std::string reason, const std::optional<std::string>& limit,
                     const std::optional<std::string>& cursor, http::response& out, pending& todo) {
    if (!todo.by.may(auth::scope::orders_read)) {  // beside `read`: these are whole orders
        write_forbidden(to_string(auth::scope::orders_read), it.in, out);
        return false;
    }
    std::size_t most = list_query::limit_default;
    if (limit) {
        const std::string wrong = read_limit(*limit, list_query::limit_max, most);
        if (!wrong.empty()) {
            write_bad_parameter("limit", wrong, it.in, out);
            return false;
        }
    }
    std::optional<list_position> after;
    if (cursor) {
        after = read_cursor(*cursor);
        if (!after) {
            write_bad_parameter("cursor", "is not a cursor of this server", it.in, out);
            return false;
        }
    }
    todo.read = read_then(
        [this, reason = std::move(reason), most, after](repository_reader& from) {
            list_dead_letters_params what;
            what.reason = reason;
            what.limit = most;
            what.after = after;
            return list_dead_letters(from, engine_.machine(), what);
        },
        [this](const order_page& page, const http::request&, http::response& to) {
            write_orders(page, engine_.model(), to);
        });
    return true;
}

bool api::get_dead_letters(const call& it, http::response& out, pending& todo) {
    constexpr std::array<std::string_view, 4> names{"group", "reason", "limit", "cursor"};
    std::array<std::optional<std::string>, 4> given;
    if (!read_parameters(it.in, names, given, out)) return false;
    const auto& [group, reason, limit, cursor] = given;
    if (group && *group != "reason") {
        constexpr std::array<std::string_view, 1> known{"reason"};
        write_bad_parameter("group", "has to be reason", it.in, out, known);
        return false;
    }
    if (reason) {
        if (!group) return list_group(it, *reason, limit, cursor, out, todo);
        write_bad_parameter("group", "goes without a reason", it.in, out);
        return false;
    }
    if (limit || cursor) {
        write_bad_parameter(limit ? "limit" : "cursor", "goes with a reason", it.in, out);
        return false;
    }
    todo.read = std::make_unique<groups_read>(facts_);
    return true;
}

}  // namespace orderproc::server
