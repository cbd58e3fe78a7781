#include "core/integer_text.hpp"

#include <orderproc/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
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

// Short pieces one after the other, appended in one go: most of an order is such pieces.
class run {
public:
    template <std::size_t N>
    run& put(const char (&text)[N]) {
        std::memcpy(at_, text, N - 1);
        at_ += N - 1;
        return *this;
    }
    template <class Integer>
    run& integer(Integer value) {
        at_ = std::to_chars(at_, text_.data() + text_.size(), value).ptr;
        return *this;
    }
    // Needs no escaping: a status or a currency.
    run& word(std::string_view text) {
        *at_++ = '"';
        at_ = std::copy(text.begin(), text.end(), at_);
        *at_++ = '"';
        return *this;
    }
    run& time(timestamp value) {
        *at_++ = '"';
        format_to(value, at_);
        at_ += timestamp_text_size;
        *at_++ = '"';
        return *this;
    }
    std::string_view text() const { return {text_.data(), at_}; }

private:
    // The longest run has a status, two integers, a time and 70 characters beside them.
    static constexpr std::size_t size_max = order_status::size_max + 40 + timestamp_text_size + 96;
    std::array<char, size_max> text_;
    char* at_ = text_.data();
};

template <class Make>
void append_run(std::string& out, Make&& make) {
    run it;
    make(it);
    out += it.text();
}

void append_time(timestamp value, std::string& out) {
    append_run(out, [&](run& it) { it.time(value); });
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

// What every order has, or null.
void append_text(std::string_view text, std::string& out) {
    if (text.empty()) {
        put("null", out);
    } else {
        append_json_string(text, out);
    }
}

void append_order_items(const order_content& of, std::string& out) {
    if (of.lines.empty()) {
        put(",\"item_ids\":", out);
        append_items(of.item_ids, out);
    } else {
        put(",\"lines\":", out);
        append_lines(of, out);
    }
}

// What most orders do not have.
void append_extra(const order_content& of, std::string& out) {
    if (!of.tenant.empty()) {
        put(",\"tenant\":", out);
        append_json_string(of.tenant, out);
    }
    if (!of.attributes.empty()) {
        put(",\"attributes\":", out);
        append_attributes(of, out);
    }
    if (!of.annotations.empty()) {
        put(",\"annotations\":", out);
        append_on_one_line(of.annotations, out);
    }
}

}  // namespace

void append_json(const order& value, std::string& out, const order_model& model) {
    append_run(out,
               [&](run& it) { it.put("{\"id\":").integer(value.number).put(",\"order_id\":"); });
    append_text(value.id.view(), out);
    put(",\"user_id\":", out);
    append_user(value.user, model.rules().user == user_form::text, out);
    append_order_items(value, out);
    put(",\"total_amount\":", out);
    append_amount(value.total_amount, out);
    append_run(out, [&](run& it) {
        it.put(",\"currency\":").word(value.total_amount.currency.view()).put(",\"metadata\":");
    });
    append_on_one_line(value.metadata, out);
    append_extra(value, out);
    append_run(out, [&](run& it) {
        it.put(",\"status\":").word(value.status.view());
        it.put(",\"version\":").integer(static_cast<std::uint64_t>(value.version));
        it.put(",\"attempts\":").integer(value.attempts).put(",\"next_attempt_at\":");
        if (value.next_attempt_at) {
            it.time(*value.next_attempt_at);
        } else {
            it.put("null");
        }
        it.put(",\"last_error\":");
    });
    append_text(value.last_error, out);
    append_run(out, [&](run& it) {
        it.put(",\"created_at\":").time(value.created_at);
        it.put(",\"updated_at\":").time(value.updated_at).put("}");
    });
}

std::string to_json(const order& value, const order_model& model) {
    std::string out;
    out.reserve(size_hint + value.metadata.size() + 20 * value.item_ids.size());
    append_json(value, out, model);
    return out;
}

}  // namespace v1
}  // namespace orderproc
