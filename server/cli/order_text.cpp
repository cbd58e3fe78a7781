#include "cli/order_text.hpp"

#include "text/terminal_text.hpp"

#include <orderproc/json.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace orderproc::server {

namespace {

constexpr int items_of_one_max = 1000;
constexpr std::string_view white = " \t\r\n";

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(white), text.size()));
    return text.substr(0, text.find_last_not_of(white) + 1);
}

// How much of the text a string takes that begins there, with its quotes.
std::size_t size_of_string(std::string_view text) {
    std::size_t i = 1;
    for (; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
    }
    return std::min(i + 1, text.size());
}

// How much of the text a value takes that begins there: up to a comma or a bracket of what is
// around it.
std::size_t size_of_value(std::string_view text) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (c == '"') {
            i += size_of_string(text.substr(i));
            continue;
        }
        const bool closes = c == '}' || c == ']';
        if (depth == 0 && (closes || c == ',')) return i;
        if (closes) --depth;
        if (c == '{' || c == '[') ++depth;
        ++i;
    }
    return text.size();
}

// What a server's answer says, member by member and each as it was written: nothing in it is
// refused because it is deep, or a number larger than any type here. No members of anything else
// than an object.
class json_members {
public:
    explicit json_members(std::string_view text) {
        text = trimmed(text);
        if (!text.starts_with('{')) return;
        for (text = trimmed(text.substr(1)); text.starts_with('"');) {
            const std::size_t end = size_of_string(text);
            const std::string_view name = text.substr(1, end - std::min<std::size_t>(end, 2));
            text = trimmed(text.substr(end));
            if (!text.starts_with(':')) return;
            text.remove_prefix(1);
            const std::size_t size = size_of_value(text);
            all_.emplace_back(name, trimmed(text.substr(0, size)));
            text.remove_prefix(size);
            if (!text.starts_with(',')) return;
            text = trimmed(text.substr(1));
        }
    }

    // The text of a value; empty: there is none.
    std::string_view find(std::string_view name) const {
        for (const auto& [key, value] : all_) {
            if (key == name) return value;
        }
        return {};
    }

private:
    std::vector<std::pair<std::string_view, std::string_view>> all_;
};

// Of a string what it says, of anything else its text.
std::string unquoted(std::string_view value) {
    if (value.starts_with('"')) {
        boost::system::error_code ec;
        const auto parsed = boost::json::parse({value.data(), value.size()}, ec);
        if (!ec && parsed.is_string()) return std::string(parsed.get_string());
    }
    return std::string(value);
}

std::string text_of(const json_members& of, std::string_view name) {
    const std::string_view found = of.find(name);
    return found.empty() || found == "null" ? "-" : printable(unquoted(found));
}

// The items of an array, read like json_members. Nullopt: it is none, or has no end.
std::optional<std::vector<std::string_view>> items_in(std::string_view array) {
    if (!array.starts_with('[')) return std::nullopt;
    std::vector<std::string_view> out;
    std::string_view text = trimmed(array.substr(1));
    while (!text.starts_with(']')) {
        const std::size_t size = size_of_value(text);
        if (size == 0) return std::nullopt;
        out.push_back(trimmed(text.substr(0, size)));
        text.remove_prefix(size);
        if (text.starts_with(',')) text = trimmed(text.substr(1));
    }
    return out;
}

bool read_number(std::string_view text, auto& value) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc{} && end == text.data() + text.size() && value >= 1;
}

// JSON of one value. Whether a number is too large is for the server to say.
bool is_json(std::string_view text) {
    const std::string array = "[" + std::string(text) + "]";
    const auto split = split_json_array(array, 2);
    return split.syntax.line == 0 && split.errors.empty() && split.items.size() == 1;
}

bool is_json_number(std::string_view text) {
    const std::string_view it = trimmed(text);
    return !it.empty() && std::string_view("-0123456789").find(it[0]) != it.npos && is_json(it);
}

bool is_json_object(std::string_view text) {
    return trimmed(text).starts_with('{') && is_json(text);
}

void append_text(std::string_view name, std::string_view value, std::string& out) {
    if (value.empty()) return;
    out.append(1, ',');
    append_json_string(name, out);
    out.append(1, ':');
    append_json_string(value, out);
}

void append_array(std::string_view name, const std::vector<std::string>& items, std::string& out) {
    if (items.empty()) return;
    out.append(",\"").append(name).append("\":[");
    for (const std::string& it : items) out += (out.back() == '[' ? "" : ",") + it;
    out += ']';
}

// As a value of a type that nobody knows.
void append_as_typed(std::string_view value, std::string& out) {
    const bool simple = value.find_first_of("{}[]") == value.npos && trimmed(value) != "null";
    simple&& is_json(value) ? (void)out.append(value) : append_json_string(value, out);
}

// Here and below, no model: nobody knows it.
result<void> append_user(const std::string& user, const order_model* model, std::string& out) {
    if (!model && !user.empty()) {
        append_as_typed(user, out += ",\"user_id\":");
        return {};
    }
    if (!model || model->rules().user != user_form::integer) {
        append_text("user_id", user, out);
        return {};
    }
    if (user.empty()) return {};
    std::int64_t number = 0;
    if (!read_number(user, number)) {
        return failure{errc::invalid_argument,
                       "--user: \"" + user + "\" is not an integer of 1 or more"};
    }
    out += ",\"user_id\":" + user;
    return {};
}

// Texts and times are strings, all else stands as it was typed.
result<void> append_attribute(std::string_view text, const order_model* model, std::string& out) {
    const std::size_t end = std::min(text.find('='), text.size());
    const std::string name(text.substr(0, end));
    const std::string_view value = text.substr(std::min(end + 1, text.size()));
    if (!model) {
        append_json_string(name, out);
        append_as_typed(value, out += ':');
        return {};
    }
    const attribute_rule* const rule = model->find(name);
    if (!rule) {
        std::string known;
        for (const attribute_rule* it : model->attributes()) {
            known.append(known.empty() ? "" : ", ").append(it->name);
        }
        return failure{errc::invalid_argument,
                       "--attribute: \"" + name + "\" is not an attribute of this server's orders" +
                           (known.empty() ? ", which have none" : "; they have " + known)};
    }
    const bool quoted = rule->type == attribute_type::text ||
                        rule->type == attribute_type::choice || rule->type == attribute_type::time;
    if (!quoted && (value.find_first_of(",{}[]\"") != value.npos || !is_json(value))) {
        return failure{errc::invalid_argument,
                       "--attribute: \"" + std::string(value) + "\" is no value of " + name};
    }
    append_json_string(name, out);
    out += ':';
    quoted ? append_json_string(value, out) : (void)out.append(value);
    return {};
}

result<void> append_attributes(const std::vector<std::string>& all, const order_model* model,
                               std::string& out) {
    if (all.empty()) return {};
    out += ",\"attributes\":{";
    for (const std::string& it : all) {
        if (out.back() != '{') out += ',';
        if (auto ok = append_attribute(it, model, out); !ok) return ok;
    }
    out += '}';
    return {};
}

// What the columns of a table are, from left to right: a heading, and where the cell is.
struct column {
    std::string heading;
    std::string_view name;
    bool is_attribute = false;
};

std::vector<column> columns_of(const order_model& model) {
    const order_rules& rules = model.rules();
    std::vector<column> out{{"ORDER", "order_id"}, {"STATUS", "status"}};
    if (rules.tenants) out.push_back({"TENANT", "tenant"});
    if (rules.user != user_form::none) out.push_back({"USER", "user_id"});
    out.push_back({"TOTAL", "total_amount"});
    out.push_back({"CURRENCY", "currency"});
    const bool lines = rules.items == items_form::lines;
    out.push_back({lines ? "LINES" : "ITEMS", lines ? "lines" : "item_ids"});
    for (const attribute_rule& it : rules.attributes) {
        if (!it.indexed) continue;
        column made{it.name, it.name, true};
        std::transform(made.heading.begin(), made.heading.end(), made.heading.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        out.push_back(std::move(made));
    }
    out.push_back({"ATTEMPTS", "attempts"});
    out.push_back({"CREATED", "created_at"});
    out.push_back({"LAST ERROR", "last_error"});
    return out;
}

}  // namespace

std::string make_table(const std::vector<table_row>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    }
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out.append(row[i]);
            if (i + 1 < row.size()) out.append(widths[i] - width_of(row[i]) + 2, ' ');
        }
        out.append(1, '\n');
    }
    return out;
}

result<void> parse_item(std::string_view text, std::vector<std::string>& ids) {
    const std::size_t times = std::min(text.find('x'), text.size());
    const std::string_view id = text.substr(0, times);
    std::int64_t number = 0;
    int quantity = 1;
    const bool ok = read_number(id, number) &&
                    (times == text.size() || read_number(text.substr(times + 1), quantity)) &&
                    quantity <= items_of_one_max;
    if (!ok) {
        return failure{errc::invalid_argument,
                       "\"" + std::string(text) + "\" is not an item such as 1001 or 1001x3"};
    }
    ids.insert(ids.end(), static_cast<std::size_t>(quantity), std::string(id));
    return {};
}

result<void> parse_line(std::string_view text, std::vector<std::string>& lines) {
    const auto malformed = [whole = std::string(text)] {
        return failure{errc::invalid_argument,
                       "\"" + whole + "\" is not a line such as TEE-S, TEE-S=2 or TEE-S=2@19.90"};
    };
    std::string_view amount;
    if (const std::size_t at = text.rfind('@'); at != text.npos) {
        amount = text.substr(at + 1);
        if (!is_json_number(amount)) return malformed();
        text = text.substr(0, at);
    }
    std::int64_t quantity = 1;
    if (const std::size_t at = text.rfind('='); at != text.npos) {
        if (!read_number(text.substr(at + 1), quantity)) return malformed();
        text = text.substr(0, at);
    }
    if (text.empty()) return malformed();
    std::string line = "{\"sku\":";
    append_json_string(text, line);
    line += ",\"quantity\":" + std::to_string(quantity);
    if (!amount.empty()) line.append(",\"unit_amount\":").append(amount);
    lines.push_back(line + "}");
    return {};
}

namespace {

result<std::string> body_of(const typed_order& of, const order_model* model) {
    if (!is_json_number(of.total_amount)) {
        return failure{errc::invalid_argument,
                       "\"" + of.total_amount + "\" is not an amount such as 149.99"};
    }
    for (const std::string& it : {of.metadata, of.annotations}) {
        if (it.empty() || is_json_object(it)) continue;
        return failure{errc::invalid_argument,
                       "\"" + it + "\" is not a JSON object such as {\"gift\":true}"};
    }
    std::string out;
    if (auto ok = append_user(of.user_id, model, out); !ok) return std::move(ok).error();
    append_array("item_ids", of.item_ids, out);
    append_array("lines", of.lines, out);
    out += ",\"total_amount\":" + of.total_amount;  // as typed: it is exact
    append_text("order_id", of.order_id, out);
    append_text("currency", of.currency, out);
    if (!of.metadata.empty()) out += ",\"metadata\":" + of.metadata;
    append_text("tenant", of.tenant, out);
    append_text("not_before", of.not_before, out);
    if (!of.annotations.empty()) out += ",\"annotations\":" + of.annotations;
    if (auto ok = append_attributes(of.attributes, model, out); !ok) return std::move(ok).error();
    out.front() = '{';
    return out + "}";
}

}  // namespace

result<std::string> to_body(const typed_order& of, const order_model& model) {
    return body_of(of, &model);
}

result<std::string> to_body_as_typed(const typed_order& of) {
    return body_of(of, nullptr);
}

result<many_orders> split_orders(std::string_view text) {
    many_orders out;
    const std::size_t first = text.find_first_not_of(white);
    if (first != text.npos && text[first] == '[') {
        const json_array array = split_json_array(text, std::numeric_limits<std::size_t>::max());
        if (const syntax_error& it = array.syntax; it.line != 0) {
            return failure{errc::invalid_argument, "line " + std::to_string(it.line) + ", column " +
                                                       std::to_string(it.column) + ": " +
                                                       it.detail};
        }
        out.items = array.items;
    } else if (is_json(text)) {
        out.items = {text};
    } else {
        out.lines = true;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            const std::string_view line = text.substr(at, end - at);
            if (line.find_first_not_of(white) != line.npos) out.items.push_back(line);
            at = end + 1;
        }
    }
    if (out.items.empty()) return failure{errc::invalid_argument, "there are no orders in it"};
    return out;
}

table_row order_headings(const order_model& model) {
    table_row out;
    for (const column& it : columns_of(model)) out.push_back(it.heading);
    return out;
}

table_row order_row(std::string_view json, const order_model& model) {
    const json_members order(json);
    const json_members attributes(order.find("attributes"));
    table_row out;
    for (const column& it : columns_of(model)) {
        if (it.name == "item_ids" || it.name == "lines") {
            const auto items = items_in(order.find(it.name));
            out.push_back(std::to_string(items ? items->size() : 0));
        } else {
            out.push_back(text_of(it.is_attribute ? attributes : order, it.name));
        }
    }
    return out;
}

std::string order_id_of(std::string_view json) {
    const std::string_view id = json_members(json).find("order_id");
    return id.starts_with('"') ? unquoted(id) : std::string();
}

table_row history_headings() {
    return {"AT", "VERSION", "EVENT", "FROM", "TO", "ACTOR", "REASON"};
}

table_row history_row(std::string_view json) {
    const json_members entry(json);
    table_row out;
    for (const char* name : {"at", "version", "event", "from", "to", "actor", "reason"}) {
        out.push_back(text_of(entry, name));
    }
    return out;
}

change_text change_of(std::string_view json) {
    const json_members event(json);
    const json_members data(event.find("data"));
    return {text_of(event, "time"), text_of(data, "event"), text_of(data, "from"),
            text_of(data, "to"), text_of(data, "reason")};
}

batch_verdict batch_verdict_of(std::string_view item) {
    const json_members members(item);
    const std::string_view status = members.find("status");
    batch_verdict out;
    std::from_chars(status.data(), status.data() + status.size(), out.status);
    if (out.status != 201) out.problem = members.find("problem");
    return out;
}

answer_items items_of(std::string_view body) {
    const json_members members(body);
    const std::string_view cursor = members.find("next_cursor");
    answer_items out;
    auto items = items_in(members.find("items"));
    if (!items) return out;
    out.valid = true;
    out.items = std::move(*items);
    if (cursor.starts_with('"')) out.next_cursor = unquoted(cursor);
    return out;
}

std::string problem_text(unsigned status, std::string_view body) {
    const json_members problem(body);
    if (problem.find("title").empty()) {
        std::string out = "the server answered " + std::to_string(status);
        if (status / 100 == 3) out += ", and redirects are not followed";
        return out;
    }
    std::string out = text_of(problem, "title");
    const auto has = [&](std::string_view name) { return !problem.find(name).empty(); };
    if (has("detail")) out += ": " + text_of(problem, "detail");
    if (has("parameter")) out += " (" + text_of(problem, "parameter") + ")";
    for (const char* name : {"allowed_events", "allowed_values"}) {
        if (has(name)) out += "; allowed: " + text_of(problem, name);
    }
    const auto errors = items_in(problem.find("errors"));
    if (!errors) return out;
    for (const std::string_view it : *errors) {
        const json_members error(it);
        out += "\n  " + text_of(error, "pointer") + " " + text_of(error, "detail");
    }
    return out;
}

}  // namespace orderproc::server
