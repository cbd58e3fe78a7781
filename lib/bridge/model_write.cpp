#include "model_words.hpp"

#include <orderproc/json_text.hpp>
#include <orderproc/model_file.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {

namespace {

using detail::word_for;

// Appends the members of one object, on one line.
class object_line {
public:
    explicit object_line(std::string& out) : out_(out) {}

    void text(std::string_view name, std::string_view value) {
        begin(name);
        append_json_string(value, out_);
    }
    void integer(std::string_view name, std::int64_t value) {
        begin(name);
        out_ += std::to_string(value);
    }
    void boolean(std::string_view name, bool value) {
        begin(name);
        out_ += value ? "true" : "false";
    }
    template <class Texts>
    void texts(std::string_view name, const Texts& all) {
        begin(name);
        out_ += '[';
        for (std::string_view before; const auto& it : all) {
            out_ += std::exchange(before, ", ");
            append_json_string(it, out_);
        }
        out_ += ']';
    }
    void value(std::string_view name, const attribute_value& it) {
        if (const auto* is_text = std::get_if<std::string>(&it)) return text(name, *is_text);
        if (const auto* number = std::get_if<std::int64_t>(&it)) return integer(name, *number);
        if (const auto* truth = std::get_if<bool>(&it)) return boolean(name, *truth);
        if (const auto* time = std::get_if<timestamp>(&it)) return text(name, to_string(*time));
        integer(name, std::get<amount>(it).minor_units);
    }
    void end() { out_ += first_ ? "{}" : "}"; }

private:
    void begin(std::string_view name) {
        out_ += std::exchange(first_, false) ? "{\"" : ", \"";
        out_.append(name).append("\": ");
    }

    std::string& out_;
    bool first_ = true;
};

// What stands between two lines of an array, or of an object.
void next_line(std::string_view indent, bool& first, std::string& out) {
    out.append(std::exchange(first, false) ? "\n" : ",\n").append(indent);
}

std::pair<std::int64_t, std::int64_t> default_range(const attribute_rule& of) {
    if (of.type == attribute_type::amount) return {0, money::minor_units_max};
    return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
}

void append_attribute(const attribute_rule& it, std::string& out) {
    const attribute_rule plain;
    object_line line(out);
    line.text("name", it.name);
    line.text("type", word_for(it.type));
    line.integer("slot", it.slot);
    if (it.required) line.boolean("required", true);
    if (it.default_value) line.value("default", *it.default_value);
    if (it.edits != plain.edits) line.text("edits", word_for(it.edits));
    if (it.personal) line.boolean("personal", true);
    if (it.indexed) line.boolean("indexed", true);
    if (it.unique != plain.unique) line.text("unique", word_for(it.unique));
    if (it.type == attribute_type::text) {
        if (it.size_min != plain.size_min) {
            line.integer("size_min", static_cast<std::int64_t>(it.size_min));
        }
        if (it.size_max != detail::default_size_max(it)) {
            line.integer("size_max", static_cast<std::int64_t>(it.size_max));
        }
        if (it.characters != plain.characters) line.text("characters", word_for(it.characters));
    }
    const auto [lowest, highest] = default_range(it);
    const bool counts = it.type == attribute_type::integer || it.type == attribute_type::amount;
    if (counts && it.minimum != lowest) line.integer("minimum", it.minimum);
    if (counts && it.maximum != highest) line.integer("maximum", it.maximum);
    if (!it.choices.empty()) line.texts("choices", it.choices);
    line.end();
}

template <class Items, class Append>
void append_array(std::string_view name, const Items& all, const Append& append, std::string& out) {
    out.append(",\n    \"").append(name).append("\": [");
    bool first = true;
    for (const auto& it : all) {
        next_line("      ", first, out);
        append(it);
    }
    out += first ? "]" : "\n    ]";
}

void append_orders(const order_rules& rules, std::string& out) {
    const auto member = [&](std::string_view name, std::string_view value, bool quoted) {
        bool first = name == "items";
        next_line("    ", first, out);
        const std::string_view quote = quoted ? "\"" : "";
        out.append("\"").append(name).append("\": ").append(quote).append(value).append(quote);
    };
    const auto truth = [](bool value) { return value ? "true" : "false"; };
    member("items", word_for(rules.items), true);
    member("user", word_for(rules.user), true);
    member("guests", truth(rules.guests), false);
    member("ids", word_for(rules.ids), true);
    member("tenants", truth(rules.tenants), false);
    member("personal_metadata", truth(rules.personal_metadata), false);
    member("personal_annotations", truth(rules.personal_annotations), false);
    if (rules.total) {
        member("total", "", false);
        object_line line(out);
        line.texts("added", rules.total->added);
        line.texts("subtracted", rules.total->subtracted);
        line.end();
    }
    append_array(
        "attributes", rules.attributes,
        [&out](const attribute_rule& it) { append_attribute(it, out); }, out);
}

// Whether a stage brings this rule with it.
bool is_of_a_stage(const transition& what, order_status from, const status_machine& machine) {
    const auto stages = machine.stages();
    return std::any_of(stages.begin(), stages.end(), [&](const work_stage& it) {
        const bool starts = from == it.waiting && what.event == it.start;
        const bool releases = from == it.active && what.event == it.release;
        const bool fails = (from == it.active || from == it.waiting) && what.event == it.fail;
        return starts || releases || fails;
    });
}

struct transition_row {
    const transition* what;
    std::vector<std::string_view> from;
};

std::vector<transition_row> rows_of(const status_machine& machine) {
    std::vector<transition_row> out;
    for (const transition& it : machine.transitions()) {
        transition_row row{&it, {}};
        for (const order_status& from : it.from) {
            if (!is_of_a_stage(it, from, machine)) row.from.push_back(from.view());
        }
        if (!row.from.empty()) out.push_back(std::move(row));
    }
    return out;
}

void append_transition(const transition_row& row, std::string& out) {
    object_line line(out);
    line.texts("from", row.from);
    line.text("event", row.what->event);
    line.text("to", row.what->to.view());
    if (row.what->open_to_clients) line.boolean("open_to_clients", true);
    const bool has_scope = row.what->open_to_clients && row.what->scope != default_event_scope;
    if (has_scope) line.text("scope", row.what->scope);
    line.end();
}

void append_stage(const work_stage& it, std::string& out) {
    object_line line(out);
    line.text("waiting", it.waiting.view());
    line.text("start", it.start);
    line.text("active", it.active.view());
    line.text("release", it.release);
    line.text("fail", it.fail);
    line.text("failed", it.failed.view());
    line.end();
}

}  // namespace

std::string to_json(const order_model& orders, const status_machine& statuses) {
    std::string out = "{\n  \"orders\": {";
    append_orders(orders.rules(), out);
    out += "\n  },\n  \"statuses\": {\n    \"initial\": \"";
    out.append(statuses.initial().view()).append("\"");
    append_array(
        "transitions", rows_of(statuses),
        [&out](const transition_row& it) { append_transition(it, out); }, out);
    append_array(
        "stages", statuses.stages(), [&out](const work_stage& it) { append_stage(it, out); }, out);
    out += "\n  }\n}";
    return out;
}

std::string describe_errors(const parsed_model& of) {
    if (of.syntax.line != 0) {
        return "line " + std::to_string(of.syntax.line) + ", column " +
               std::to_string(of.syntax.column) + ": " + of.syntax.detail;
    }
    std::string out;
    for (const field_error& it : of.errors) {
        if (!out.empty()) out += '\n';
        out.append(it.pointer).append(": ").append(it.detail);
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
