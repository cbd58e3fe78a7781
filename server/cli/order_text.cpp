#include "cli/order_text.hpp"

#include <orderproc/json.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

namespace orderproc::server {

namespace {

constexpr int items_of_one_max = 1000;
constexpr std::size_t depth_max = 64;  // of an answer: an order may be 32 deep, what shows it more
constexpr std::string_view white = " \t\r\n";

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

boost::json::object object_of(std::string_view text) {
    boost::system::error_code ec;
    boost::json::parse_options how;
    how.max_depth = depth_max;
    auto parsed = boost::json::parse({text.data(), text.size()}, ec, {}, how);
    return ec || !parsed.is_object() ? boost::json::object() : std::move(parsed.get_object());
}

std::string text_of(const boost::json::object& of, std::string_view name) {
    const auto* found = of.if_contains(name);
    if (!found || found->is_null()) return "-";
    if (const auto* text = found->if_string()) return printable({text->data(), text->size()});
    return boost::json::serialize(*found);
}

// As the server wrote it, with the currency's decimals, which a double would lose. Nothing that
// clients may choose freely stands before it.
std::string total_of(std::string_view order) {
    constexpr std::string_view name = "\"total_amount\":";
    const std::size_t at = order.find(name);
    if (at == order.npos) return "-";
    order.remove_prefix(at + name.size());
    return printable(order.substr(0, order.find_first_of(",}")));
}

bool read_number(std::string_view text, auto& value) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc{} && end == text.data() + text.size() && value >= 1;
}

bool is_json(std::string_view text, bool (*wanted)(const boost::json::value&)) {
    boost::system::error_code ec;
    const auto parsed = boost::json::parse({text.data(), text.size()}, ec);
    return !ec && wanted(parsed);
}

void append_text(std::string_view name, std::string_view value, std::string& out) {
    if (value.empty()) return;
    out.append(1, ',');
    append_json_string(name, out);
    out.append(1, ':');
    append_json_string(value, out);
}

}  // namespace

std::string printable(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto code = static_cast<unsigned char>(text[i]);
        const bool c1 = code == 0xc2 && i + 1 < text.size() &&
                        static_cast<unsigned char>(text[i + 1]) < 0xa0;  // U+0080 to U+009F
        if (c1) code = static_cast<unsigned char>(text[++i]);
        if (!c1 && code >= 0x20 && code != 0x7f) {
            out.push_back(text[i]);
        } else {
            out.append("\\x").append(1, hex[code >> 4]).append(1, hex[code & 15]);
        }
    }
    return out;
}

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
                       "\"" + std::string(text) + "\" is no item such as 1001 or 1001x3"};
    }
    ids.insert(ids.end(), static_cast<std::size_t>(quantity), std::string(id));
    return {};
}

result<std::string> to_body(const typed_order& of) {
    const auto is_number = [](const boost::json::value& it) { return it.is_number(); };
    const auto is_object = [](const boost::json::value& it) { return it.is_object(); };
    if (!is_json(of.total_amount, is_number)) {
        return failure{errc::invalid_argument,
                       "\"" + of.total_amount + "\" is no amount such as 149.99"};
    }
    if (!of.metadata.empty() && !is_json(of.metadata, is_object)) {
        return failure{errc::invalid_argument,
                       "\"" + of.metadata + "\" is no JSON object such as {\"gift\":true}"};
    }
    std::string out = "{\"user_id\":" + of.user_id + ",\"item_ids\":[";
    for (const std::string& it : of.item_ids) out += (out.back() == '[' ? "" : ",") + it;
    out += "],\"total_amount\":" + of.total_amount;  // as typed: it is exact
    append_text("order_id", of.order_id, out);
    append_text("currency", of.currency, out);
    if (!of.metadata.empty()) out += ",\"metadata\":" + of.metadata;
    return out + "}";
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
    } else if (is_json(text, [](const boost::json::value&) { return true; })) {
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

table_row order_headings() {
    return {"ORDER", "STATUS",   "USER",    "TOTAL",     "CURRENCY",
            "ITEMS", "ATTEMPTS", "CREATED", "LAST ERROR"};
}

table_row order_row(std::string_view json) {
    const auto order = object_of(json);
    const auto* items = order.if_contains("item_ids");
    const std::size_t count = items && items->is_array() ? items->get_array().size() : 0;
    return {text_of(order, "order_id"),  text_of(order, "status"),
            text_of(order, "user_id"),   total_of(json),
            text_of(order, "currency"),  std::to_string(count),
            text_of(order, "attempts"),  text_of(order, "created_at"),
            text_of(order, "last_error")};
}

table_row history_headings() {
    return {"AT", "VERSION", "EVENT", "FROM", "TO", "ACTOR", "REASON"};
}

table_row history_row(std::string_view json) {
    const auto entry = object_of(json);
    table_row out;
    for (const char* name : {"at", "version", "event", "from", "to", "actor", "reason"}) {
        out.push_back(text_of(entry, name));
    }
    return out;
}

change_text change_of(std::string_view json) {
    const auto event = object_of(json);
    const auto* data = event.if_contains("data");
    const auto of = data && data->is_object() ? data->get_object() : boost::json::object();
    return {text_of(event, "time"), text_of(of, "event"), text_of(of, "from"), text_of(of, "to"),
            text_of(of, "reason")};
}

batch_verdict batch_verdict_of(std::string_view item) {
    constexpr std::string_view name = R"({"status":)";
    batch_verdict out;
    if (item.starts_with(name)) {
        std::from_chars(item.data() + name.size(), item.data() + item.size(), out.status);
    }
    if (out.status == 201) return out;
    const auto object = object_of(item);
    if (const auto* problem = object.if_contains("problem")) {
        out.problem = boost::json::serialize(*problem);
    }
    return out;
}

std::string problem_text(unsigned status, std::string_view body) {
    const auto problem = object_of(body);
    if (!problem.contains("title")) return "the server answered " + std::to_string(status);
    std::string out = text_of(problem, "title");
    if (problem.contains("detail")) out += ": " + text_of(problem, "detail");
    if (problem.contains("parameter")) out += " (" + text_of(problem, "parameter") + ")";
    for (const char* name : {"allowed_events", "allowed_values"}) {
        if (problem.contains(name)) out += "; allowed: " + text_of(problem, name);
    }
    const auto* errors = problem.if_contains("errors");
    if (!errors || !errors->is_array()) return out;
    for (const auto& it : errors->get_array()) {
        if (!it.is_object()) continue;
        const auto& error = it.get_object();
        out += "\n  " + text_of(error, "pointer") + " " + text_of(error, "detail");
    }
    return out;
}

}  // namespace orderproc::server
