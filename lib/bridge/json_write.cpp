#include "core/integer_text.hpp"

#include <orderproc/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <variant>

namespace orderproc {
inline namespace v1 {

namespace {

// What an order takes without its item ids, its id and its metadata, generously.
constexpr std::size_t size_hint = 448;

// A literal, whose size is known.
template <std::size_t N>
void put(const char (&text)[N], std::string& out) {
    out.append(text, N - 1);
}

template <class Integer>
void append_integer(Integer value, std::string& out) {
    std::array<char, std::numeric_limits<Integer>::digits10 + 2> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), end);
}

void append_time(timestamp value, std::string& out) {
    std::array<char, timestamp_text_size + 2> text;
    text.front() = '"';
    format_to(value, text.data() + 1);
    text.back() = '"';
    out.append(text.data(), text.size());
}

// Words that need no escaping: ids, statuses, currencies.
void append_word(std::string_view text, std::string& out) {
    out += '"';
    out += text;
    out += '"';
}

// Line breaks stand between tokens only, where a space means the same.
void append_on_one_line(std::string_view json, std::string& out) {
    const std::size_t from = out.size();
    out += json;
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

void append_items(const std::vector<std::int64_t>& ids, std::string& out) {
    out += '[';
    for (const std::int64_t id : ids) {
        append_integer(id, out);
        out += ',';
    }
    if (ids.empty()) {
        out += ']';
    } else {
        out.back() = ']';
    }
}

// An integer as a number, any other text as a string, and a guest as null.
void append_user(std::string_view user, bool texts, std::string& out) {
    if (user.empty()) {
        put("null", out);
    } else if (!texts && detail::positive_integer(user) != 0) {
        out += user;
    } else {
        append_json_string(user, out);
    }
}

void append_lines(const order_content& of, std::string& out) {
    char before = '[';
    for (const order_line& it : of.lines) {
        out += before;
        before = ',';
        put("{\"sku\":", out);
        append_json_string(it.sku, out);
        put(",\"quantity\":", out);
        append_integer(it.quantity, out);
        if (it.unit_amount) {
            put(",\"unit_amount\":", out);
            append_amount({it.unit_amount->minor_units, of.total_amount.currency}, out);
        }
        if (!it.name.empty()) {
            put(",\"name\":", out);
            append_json_string(it.name, out);
        }
        out += '}';
    }
    out += ']';
}

void append_attributes(const order_content& of, std::string& out) {
    char before = '{';
    for (const order_attribute& it : of.attributes) {
        out += before;
        before = ',';
        append_word(it.name, out);
        out += ':';
        if (const auto* text = std::get_if<std::string>(&it.value)) {
            append_json_string(*text, out);
        } else if (const auto* integer = std::get_if<std::int64_t>(&it.value)) {
            append_integer(*integer, out);
        } else if (const auto* truth = std::get_if<bool>(&it.value)) {
            out += *truth ? "true" : "false";
        } else if (const auto* time = std::get_if<timestamp>(&it.value)) {
            append_time(*time, out);
        } else {
            const std::int64_t minor_units = std::get<amount>(it.value).minor_units;
            append_amount({minor_units, of.total_amount.currency}, out);
        }
    }
    out += '}';
}

}  // namespace

void append_json(const order& value, std::string& out, const order_model& model) {
    put("{\"id\":", out);
    append_integer(value.number, out);
    put(",\"order_id\":", out);
    if (value.id.empty()) {
        put("null", out);
    } else {
        append_json_string(value.id.view(), out);
    }
    put(",\"user_id\":", out);
    append_user(value.user, model.rules().user == user_form::text, out);
    if (value.lines.empty()) {
        put(",\"item_ids\":", out);
        append_items(value.item_ids, out);
    } else {
        put(",\"lines\":", out);
        append_lines(value, out);
    }
    put(",\"total_amount\":", out);
    append_amount(value.total_amount, out);
    put(",\"currency\":", out);
    append_word(value.total_amount.currency.view(), out);
    put(",\"metadata\":", out);
    append_on_one_line(value.metadata, out);
    if (!value.tenant.empty()) {
        put(",\"tenant\":", out);
        append_json_string(value.tenant, out);
    }
    if (!value.attributes.empty()) {
        put(",\"attributes\":", out);
        append_attributes(value, out);
    }
    if (!value.annotations.empty()) {
        put(",\"annotations\":", out);
        append_on_one_line(value.annotations, out);
    }
    put(",\"status\":", out);
    append_word(value.status.view(), out);
    put(",\"version\":", out);
    append_integer(static_cast<std::uint64_t>(value.version), out);
    put(",\"attempts\":", out);
    append_integer(value.attempts, out);
    put(",\"next_attempt_at\":", out);
    if (value.next_attempt_at) {
        append_time(*value.next_attempt_at, out);
    } else {
        put("null", out);
    }
    put(",\"last_error\":", out);
    if (value.last_error.empty()) {
        put("null", out);
    } else {
        append_json_string(value.last_error, out);
    }
    put(",\"created_at\":", out);
    append_time(value.created_at, out);
    put(",\"updated_at\":", out);
    append_time(value.updated_at, out);
    out += '}';
}

std::string to_json(const order& value, const order_model& model) {
    std::string out;
    out.reserve(size_hint + value.metadata.size() + 20 * value.item_ids.size());
    append_json(value, out, model);
    return out;
}

}  // namespace v1
}  // namespace orderproc
