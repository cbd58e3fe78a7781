#include "api/openapi_orders.hpp"

#include "api/query_values.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

namespace json = boost::json;

// What a property is in.
enum class body { order, create, replacement, patch, annotation };

json::object schema_of(std::string_view name) {
    return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

json::object or_null(json::object schema) {
    return {{"oneOf", {std::move(schema), {{"type", "null"}}}}};
}

json::object text_schema(std::size_t least, std::size_t most) {
    json::object out{{"type", "string"}, {"minLength", least}, {"maxLength", most}};
    if (least == 0) out.erase("minLength");
    return out;
}

json::object text_schema(const attribute_rule& rule) {
    // Lengths count characters, of which one takes up to four bytes.
    const bool wide = rule.characters == text_characters::any;
    json::object out = text_schema(wide ? (rule.size_min + 3) / 4 : rule.size_min, rule.size_max);
    switch (rule.characters) {
        case text_characters::any:
            break;
        case text_characters::ascii:
            out["pattern"] = "^[ -~]*$";
            break;
        case text_characters::alphanumeric:
            out["pattern"] = "^[A-Za-z0-9]*$";
            break;
        case text_characters::token:
            out["pattern"] = "^[A-Za-z0-9._:-]*$";
            break;
        case text_characters::digits:
            out["pattern"] = "^[0-9]*$";
            break;
    }
    return out;
}

json::object integer_schema(const attribute_rule& rule) {
    json::object out{{"type", "integer"}, {"format", "int64"}};
    using limits = std::numeric_limits<std::int64_t>;
    if (rule.minimum != limits::min()) out["minimum"] = rule.minimum;
    if (rule.maximum != limits::max()) out["maximum"] = rule.maximum;
    return out;
}

json::object type_schema(const attribute_rule& rule, body in) {
    switch (rule.type) {
        case attribute_type::text:
            return text_schema(rule);
        case attribute_type::integer:
            return integer_schema(rule);
        case attribute_type::amount:
            return {{"allOf", {schema_of(in == body::order ? "Amount" : "NewAmount")}}};
        case attribute_type::boolean:
            return {{"type", "boolean"}};
        case attribute_type::time:
            return {{"allOf", {schema_of("Timestamp")}}};
        case attribute_type::choice:
            break;
    }
    json::object out{{"type", "string"}};
    out["enum"] = json::array(rule.choices.begin(), rule.choices.end());
    return out;
}

std::string default_text(const attribute_rule& rule) {
    const attribute_value& it = *rule.default_value;
    if (const auto* text = std::get_if<std::string>(&it)) return "`" + *text + "`";
    if (const auto* integer = std::get_if<std::int64_t>(&it)) return std::to_string(*integer);
    if (const auto* truth = std::get_if<bool>(&it)) return *truth ? "true" : "false";
    if (const auto* time = std::get_if<timestamp>(&it)) return to_string(*time);
    return std::to_string(std::get<amount>(it).minor_units) + " of the currency's smallest unit";
}

std::string description_of(const attribute_rule& rule) {
    std::string out;
    const auto say = [&](std::string_view text) {
        out.append(out.empty() ? "" : " ").append(text);
    };
    if (rule.type == attribute_type::text && rule.characters == text_characters::any) {
        say("From " + std::to_string(rule.size_min) + " to " + std::to_string(rule.size_max) +
            " bytes, without control characters.");
    }
    if (rule.type == attribute_type::amount) {
        say("In the order's currency, from " + std::to_string(rule.minimum) + " to " +
            std::to_string(rule.maximum) + " of its smallest unit.");
    }
    if (rule.default_value) say("Left out, it is " + default_text(rule) + ".");
    if (rule.edits == attribute_edits::never) say("Never changes.");
    if (rule.edits == attribute_edits::always) say("May be changed in every status.");
    if (rule.unique == attribute_unique::in_tenant) say("No two orders of a tenant have the same.");
    if (rule.unique == attribute_unique::everywhere) say("No two orders have the same.");
    if (rule.indexed) say("Lists can be filtered and sorted by it.");
    if (rule.personal) say("Goes when the order is redacted.");
    return out;
}

json::object attribute_schema(const attribute_rule& rule, body in) {
    json::object out = type_schema(rule, in);
    const bool patches = in == body::patch || in == body::annotation;
    if (in != body::order && (patches || !rule.required)) out = or_null(std::move(out));
    const std::string description = description_of(rule);
    if (!description.empty()) out["description"] = description;
    return out;
}

json::object attributes_schema(const order_model& model, body in) {
    json::object properties;
    json::array required;
    const bool whole = in != body::patch && in != body::annotation;
    for (const attribute_rule& rule : model.rules().attributes) {
        if (in == body::annotation && rule.edits != attribute_edits::always) continue;
        properties[rule.name] = attribute_schema(rule, in);
        // A replacement may leave out what never changes.
        const bool stays = in == body::replacement && rule.edits == attribute_edits::never;
        if (whole && rule.required && !stays) required.emplace_back(rule.name);
    }
    json::object out{{"type", "object"}, {"properties", std::move(properties)}};
    if (in != body::order) out["additionalProperties"] = false;
    const bool all_optional = required.empty();
    if (!required.empty()) out["required"] = std::move(required);
    if (in == body::order || !whole || !all_optional) return out;
    return {{"oneOf", {std::move(out), {{"type", "array"}, {"maxItems", 0}}, {{"type", "null"}}}}};
}

json::object lines_schema(const order_model& model, body in) {
    const bool shown = in == body::order;
    const bool priced = model.rules().total.has_value();
    json::object price = schema_of(shown ? "Amount" : "NewAmount");
    json::object name = text_schema(0, order_line::name_size_max);
    const bool may_be_null = !shown;
    json::object properties{
        {"sku", text_schema(1, order_line::sku_size_max)},
        {"quantity", {{"type", "integer"}, {"minimum", 1}, {"maximum", order_line::quantity_max}}},
        {"unit_amount", may_be_null && !priced ? or_null(std::move(price)) : std::move(price)},
        {"name", may_be_null ? or_null(std::move(name)) : std::move(name)}};
    json::array required{"sku", "quantity"};
    if (priced) required.emplace_back("unit_amount");
    json::object line{{"type", "object"},
                      {"required", std::move(required)},
                      {"properties", std::move(properties)}};
    if (!shown) line["additionalProperties"] = false;
    return {{"type", "array"},
            {"minItems", 1},
            {"maxItems", "$items_max"},
            {"items", std::move(line)},
            {"description", "Products, and how often each was ordered."}};
}

json::object user_schema(const order_rules& rules) {
    if (rules.user == user_form::none) {
        return {{"type", "null"}, {"description", "Orders have no user."}};
    }
    json::object out = rules.user == user_form::integer
                           ? schema_of("Id")
                           : text_schema(1, order_content::user_size_max);
    if (!rules.guests) return out;
    out = or_null(std::move(out));
    out["description"] = "`null` stands for a guest.";
    return out;
}

json::object order_id_schema(const order_rules& rules) {
    json::object out{
        {"type", "string"},
        {"description",
         "Unique for ever; the id of a deleted order stays taken. Not `batch` or `status`."}};
    if (rules.ids == id_form::plain) {
        out["pattern"] = "^(?!(batch|status)$)[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$";
    } else {
        out["description"] =
            "Unique for ever; the id of a deleted order stays taken. At most ${order_id_size_max} "
            "bytes, and 200 when it is percent-encoded. Without control characters, without a "
            "space or `~` in front or a space behind; not `.`, `..`, `batch` or `status`. In a "
            "path it is percent-encoded, or stands as `~` and its base64url, which every proxy "
            "leaves alone.";
        out["pattern"] =
            "^(?!(\\.|\\.\\.|batch|status)$)[^ ~\\u0000-\\u001f\\u007f]"
            "([^\\u0000-\\u001f\\u007f]*[^ \\u0000-\\u001f\\u007f])?$";
        out["maxLength"] = "$order_id_size_max";
    }
    out["examples"] = json::array{"ORD-A8F64D2E"};
    return out;
}

json::object total_schema(const order_rules& rules, json::object schema) {
    if (!rules.total) return schema;
    std::string sum = "Has to be the sum of all `quantity` times `unit_amount`";
    for (const std::string& it : rules.total->added) sum += " plus `" + it + "`";
    for (const std::string& it : rules.total->subtracted) sum += " less `" + it + "`";
    return {{"allOf", {std::move(schema)}}, {"description", sum + "."}};
}

// What a client sets, but for the id.
json::object client_fields(const order_model& model, body in) {
    const order_rules& rules = model.rules();
    const bool patches = in == body::patch;
    const bool shown = in == body::order;
    json::object out{{"user_id", user_schema(rules)}};
    if (rules.items == items_form::item_ids) {
        out["item_ids"] = schema_of("ItemIds");
    } else {
        out["lines"] = lines_schema(model, in);
    }
    out["total_amount"] = total_schema(rules, schema_of(shown ? "Amount" : "NewAmount"));
    out["currency"] = patches ? json::object{{"type", "string"}, {"pattern", "^[A-Za-z]{3}$"}}
                              : schema_of(shown ? "Currency" : "NewCurrency");
    const json::object merged{{"oneOf",
                               {{{"type", {"object", "null"}}, {"additionalProperties", true}},
                                {{"type", "array"}, {"maxItems", 0}}}}};
    out["metadata"] = patches ? merged : schema_of(shown ? "Metadata" : "NewMetadata");
    if (rules.tenants) {
        out["tenant"] = text_schema(1, order_content::tenant_size_max);
        if (in == body::replacement) out["tenant"] = or_null(std::move(out["tenant"].as_object()));
        out["tenant"].as_object()["description"] = "Whose shop it is. Never changes.";
    }
    if (!rules.attributes.empty()) out["attributes"] = attributes_schema(model, in);
    if (patches) {
        out["annotations"] = merged;
    } else {
        out["annotations"] =
            json::object{{"allOf", {schema_of(shown ? "Metadata" : "NewMetadata")}},
                         {"description",
                          "A JSON object like `metadata`, which may be changed in every status."}};
    }
    return out;
}

void add_server_fields(body in, json::object& to) {
    const bool null_too = in == body::replacement;
    const auto add = [&](std::string_view name, json::object schema) {
        to[name] = null_too ? or_null(std::move(schema)) : std::move(schema);
    };
    for (const auto& [name, schema] : {std::pair("id", "Id"),
                                       {"order_id", "OrderId"},
                                       {"status", "Status"},
                                       {"version", "Version"}}) {
        add(name, schema_of(schema));
    }
    add("attempts",
        {{"type", "integer"},
         {"minimum", 0},
         {"description", "How often work on it began, since it was created or retried."}});
    to["next_attempt_at"] = json::object{
        {"type", {"string", "null"}},
        {"format", "date-time"},
        {"description", "When it is due again, or begins; null if nothing is put off."}};
    to["last_error"] = json::object{{"type", {"string", "null"}},
                                    {"description", "Why it was put off, or failed."}};
    add("created_at", schema_of("Timestamp"));
    add("updated_at", schema_of("Timestamp"));
}

json::array required_fields(const order_rules& rules, body in) {
    json::array out;
    if (in == body::order) out = {"id", "order_id"};
    const bool guests = rules.guests || rules.user == user_form::none;
    if (in == body::order || !guests) out.emplace_back("user_id");
    out.emplace_back(rules.items == items_form::lines ? "lines" : "item_ids");
    out.emplace_back("total_amount");
    if (rules.tenants && in != body::replacement) out.emplace_back("tenant");
    if (in == body::order) {
        for (const char* it : {"currency", "metadata", "status", "version", "attempts",
                               "next_attempt_at", "last_error", "created_at", "updated_at"}) {
            out.emplace_back(it);
        }
    }
    const bool attributes = std::any_of(
        rules.attributes.begin(), rules.attributes.end(), [&](const attribute_rule& it) {
            return it.required && !(in == body::replacement && it.edits == attribute_edits::never);
        });
    if (attributes) out.emplace_back("attributes");
    return out;
}

json::object new_order(const order_model& model) {
    json::object properties{{"order_id", or_null(schema_of("OrderId"))}};
    for (auto& it : client_fields(model, body::create)) properties[it.key()] = it.value();
    properties["not_before"] = json::object{
        {"oneOf", {schema_of("Timestamp"), {{"type", "null"}}}},
        {"description", "Work on the order begins then, or later. `next_attempt_at` shows it."}};
    return {{"type", "object"},
            {"required", required_fields(model.rules(), body::create)},
            {"additionalProperties", false},
            {"properties", std::move(properties)}};
}

json::object replacement(const order_model& model) {
    json::object properties = client_fields(model, body::replacement);
    add_server_fields(body::replacement, properties);
    return {{"type", "object"},
            {"required", required_fields(model.rules(), body::replacement)},
            {"additionalProperties", false},
            {"description",
             "From `id` on it is the server's: that may be sent if it is equal to what is stored, "
             "or null, so that an order that was read can be sent back. Annotations that are left "
             "out stay, and so does what never changes."},
            {"properties", std::move(properties)}};
}

json::object patch(const order_model& model) {
    json::object properties = client_fields(model, body::patch);
    add_server_fields(body::patch, properties);
    return {
        {"type", "object"},
        {"additionalProperties", false},
        {"description",
         "What is left out stays. In `metadata`, `annotations` and `attributes` members that "
         "are null are removed; `null` for the whole of one of the first two is `{}`; `[]` is a "
         "patch without members, as PHP writes it. The server's fields may be sent if they are "
         "equal to what is stored."},
        {"properties", std::move(properties)},
        {"dependentRequired", {{"currency", {"total_amount"}}}}};
}

json::object annotation(const order_model& model) {
    json::object properties{{"annotations", client_fields(model, body::patch).at("annotations")}};
    if (!model.rules().attributes.empty()) {
        properties["attributes"] = attributes_schema(model, body::annotation);
    }
    return {{"type", "object"},
            {"additionalProperties", false},
            {"description", "As of a patch. Attributes are those that change in every status."},
            {"properties", std::move(properties)}};
}

json::object shown_order(const order_model& model) {
    json::object properties{{"id", schema_of("Id")}, {"order_id", schema_of("OrderId")}};
    for (auto& it : client_fields(model, body::order)) properties[it.key()] = it.value();
    add_server_fields(body::order, properties);
    return {{"type", "object"},
            {"required", required_fields(model.rules(), body::order)},
            {"properties", std::move(properties)}};
}

}  // namespace

json::object order_schemas(const order_model& model) {
    json::object out{{"OrderId", order_id_schema(model.rules())}};
    if (model.rules().items == items_form::item_ids) {
        out["ItemIds"] = json::object{{"type", "array"},
                                      {"minItems", 1},
                                      {"maxItems", "$items_max"},
                                      {"items", schema_of("Id")},
                                      {"description", "Repeats are quantities."},
                                      {"examples", {{1001, 1002, 1003}}}};
    }
    out["NewOrder"] = new_order(model);
    out["OrderReplacement"] = replacement(model);
    out["OrderPatch"] = patch(model);
    out["OrderAnnotation"] = annotation(model);
    out["Order"] = shown_order(model);
    return out;
}

}  // namespace orderproc::server
