// Parameters and examples for the API's description, of the orders that there are.

#include "api/attribute_filter.hpp"
#include "api/list_query.hpp"
#include "api/openapi_orders.hpp"

#include <orderproc/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace orderproc::server {

namespace {

namespace json = boost::json;

json::object query_parameter_of(std::string name, std::string_view description,
                                json::object schema) {
    return {{"name", std::move(name)},
            {"in", "query"},
            {"description", description},
            {"schema", std::move(schema)}};
}

json::array scope_values(const order_model& model) {
    const order_rules& rules = model.rules();
    json::array out;
    for (const std::string& name : scope_parameters(model)) {
        json::object schema{{"type", "string"}, {"minLength", 1}, {"maxLength", 64}};
        if (name == "tenant") {
            out.push_back(query_parameter_of(name, "Orders of this tenant.", std::move(schema)));
            continue;
        }
        if (rules.user == user_form::integer) schema = {{"$ref", "#/components/schemas/Id"}};
        if (rules.guests) {
            schema = {{"oneOf", {std::move(schema), {{"type", "string"}, {"maxLength", 0}}}}};
        }
        out.push_back(query_parameter_of(
            name, rules.guests ? "Orders of this user; empty: of guests." : "Orders of this user.",
            std::move(schema)));
    }
    return out;
}

json::object filter_schema(const attribute_rule& rule) {
    switch (rule.type) {
        case attribute_type::integer:
            return {{"type", "integer"}, {"format", "int64"}};
        case attribute_type::boolean:
            return {{"type", "boolean"}};
        case attribute_type::time:
            return {{"$ref", "#/components/schemas/Timestamp"}};
        case attribute_type::amount:
            return {{"type", "string"},
                    {"pattern", "^-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)? [A-Z]{3}$"},
                    {"examples", {"12.50 EUR"}}};
        case attribute_type::choice:
            return {{"type", "string"},
                    {"enum", json::array(rule.choices.begin(), rule.choices.end())}};
        case attribute_type::text:
            break;
    }
    return {{"type", "string"}, {"maxLength", attribute_rule::indexed_text_size_max}};
}

json::array attribute_values(const order_model& model) {
    json::array out;
    for (const attribute_rule* const rule : model.attributes()) {
        if (!rule->indexed) continue;
        const std::string name = std::string(attribute_filter::prefix) + rule->name;
        out.push_back(query_parameter_of(
            name, "Orders with this value. A list has a filter by one attribute alone.",
            filter_schema(*rule)));
        out.push_back(query_parameter_of(name + ".from",
                                         "Orders with this value or a higher one, sorted by value.",
                                         filter_schema(*rule)));
        out.push_back(query_parameter_of(name + ".to",
                                         "Orders with this value or a lower one, sorted by value.",
                                         filter_schema(*rule)));
    }
    return out;
}

// Digits are fit for all texts.
attribute_value sample_of(const attribute_rule& rule) {
    switch (rule.type) {
        case attribute_type::text:
            return std::string(std::clamp<std::size_t>(4, rule.size_min, rule.size_max), '7');
        case attribute_type::integer:
            return std::clamp<std::int64_t>(1, rule.minimum, rule.maximum);
        case attribute_type::amount:
            return amount{std::clamp<std::int64_t>(100, rule.minimum, rule.maximum)};
        case attribute_type::boolean:
            return true;
        case attribute_type::time:
            return parse_timestamp("2026-06-20T12:00:00Z").value();
        case attribute_type::choice:
            break;
    }
    return rule.choices.front();
}

// The price at which the total is above 0 with what is subtracted.
void add_lines(const order_rules& rules, order_content& to) {
    std::int64_t others = 0;
    for (const order_attribute& it : to.attributes) {
        const auto in = [&](const std::vector<std::string>& names) {
            return std::find(names.begin(), names.end(), it.name) != names.end();
        };
        const auto* worth = std::get_if<amount>(&it.value);
        if (!rules.total || !worth) continue;
        if (in(rules.total->added)) others += worth->minor_units;
        if (in(rules.total->subtracted)) others -= worth->minor_units;
    }
    const std::int64_t price = std::max<std::int64_t>(0, -others) + 14999;
    to.lines = {{"TEA", 1, amount{price}, "Green tea"}};
    to.total_amount.minor_units = price + (rules.total ? others : 0);
}

order sample_order(const order_model& model, bool all) {
    const order_rules& rules = model.rules();
    order out;
    out.number = 1;
    out.id = order_id::parse("ORD-A8F64D2E").value();
    if (rules.user == user_form::integer) out.user = "123";
    if (rules.user == user_form::text) out.user = "u-123";
    out.total_amount = {14999, "USD"};
    if (rules.tenants) out.tenant = "north";
    for (const attribute_rule* const rule : model.attributes()) {
        if (all || rule->required) out.attributes.push_back({rule->name, sample_of(*rule)});
    }
    if (!all) model.complete(out);
    if (rules.items == items_form::lines) {
        add_lines(rules, out);
    } else {
        out.item_ids = {1001, 1002, 1003};
    }
    if (all) out.metadata = R"({"channel":"web"})";
    out.created_at = parse_timestamp("2026-06-15T14:23:11.326Z").value();
    out.updated_at = out.created_at;
    return out;
}

// What the client sends for it.
json::object draft_of(const order& it, const order_model& model, bool all) {
    json::object out = json::parse(to_json(it, model)).as_object();
    for (const char* name : {"id", "status", "version", "attempts", "next_attempt_at", "last_error",
                             "created_at", "updated_at"}) {
        out.erase(name);
    }
    if (out.at("user_id").is_null()) out.erase("user_id");
    if (all) return out;
    for (const char* name : {"order_id", "currency", "metadata"}) out.erase(name);
    return out;
}

// How the examples go on from the first status.
struct story {
    order_status settled;
    const transition* raised = nullptr;  // by a client
};
story story_of(const status_machine& machine) {
    story out;
    out.settled = machine.initial();
    for (const order_status& it : machine.statuses()) {
        if (out.settled == machine.initial() && machine.is_settled(it)) out.settled = it;
    }
    for (const transition& it : machine.transitions()) {
        const bool leaves =
            std::find(it.from.begin(), it.from.end(), machine.initial()) != it.from.end();
        if (!out.raised && leaves && it.open_to_clients && it.to != machine.initial()) {
            out.raised = &it;
        }
    }
    return out;
}

void add_examples(const status_machine& machine, const order_model& model, json::object& to) {
    const story told = story_of(machine);
    order it = sample_order(model, false);
    it.status = machine.initial();
    const auto shown = [&] { return json::parse(to_json(it, model)); };
    to["example_new_order"] = draft_of(it, model, false);
    to["example_new_order_text"] = json::serialize(to["example_new_order"]);
    const order whole = sample_order(model, true);
    json::object all = draft_of(whole, model, true);
    to["example_new_order_full"] = all;
    all.erase("order_id");
    to["example_replacement"] = std::move(all);
    to["example_order"] = shown();
    to["example_order_text"] = to_json(it, model);
    to["example_initial"] = machine.initial().view();
    it.version = order_version{2};
    it.updated_at = parse_timestamp("2026-06-15T14:23:12.004Z").value();
    if (told.raised) it.status = told.raised->to;
    to["example_order_moved"] = shown();
    to["example_event"] = told.raised ? std::string_view(told.raised->event) : "edit";
    to["example_moved"] = it.status.view();
    it.version = order_version{3};
    it.attempts = 1;
    it.updated_at = parse_timestamp("2026-06-15T14:23:13.340Z").value();
    it.status = told.settled;
    to["example_order_settled"] = shown();
    it.annotations = R"({"tracking":"T-1"})";
    it.version = order_version{4};
    to["example_order_annotated"] = shown();
}

}  // namespace

json::object order_values(const status_machine& machine, const order_model& model) {
    json::array sort_names;
    for (const std::string& it : list_sorts(model)) sort_names.emplace_back(it);
    json::object out{{"scope_parameters", scope_values(model)},
                     {"attribute_parameters", attribute_values(model)},
                     {"sorts", std::move(sort_names)}};
    add_examples(machine, model, out);
    return out;
}

}  // namespace orderproc::server
