#include "api/api.hpp"
#include "api/problems.hpp"

#include <orderproc/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

// Orders are private and change: no cache keeps them, and no browser guesses their type.
constexpr std::string_view order_fields =
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";

std::string_view trim(std::string_view text) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

bool is_json(std::string_view content_type) noexcept {
    return http::equal_ignoring_case(trim(content_type.substr(0, content_type.find(';'))),
                                     "application/json");
}

// An entity tag: the version in quotes.
class etag {
public:
    explicit etag(order_version version) noexcept {
        text_[0] = '"';
        char* end = std::to_chars(text_.data() + 1, text_.data() + text_.size() - 1,
                                  static_cast<std::uint64_t>(version))
                        .ptr;
        *end++ = '"';
        size_ = static_cast<std::size_t>(end - text_.data());
    }
    std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, 22> text_;
    std::size_t size_;
};

// If-None-Match (RFC 9110, 13.1.2), which compares weakly.
bool none_match_names(std::string_view list, std::string_view tag) noexcept {
    if (trim(list) == "*") return true;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');  // our tags have none
        std::string_view one = trim(list.substr(0, comma));
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag) return true;
        list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    }
    return false;
}

// "00-" 32 digits "-" 16 digits "-" 2 digits (W3C Trace Context, 3.2); others are not passed on.
std::string_view valid_traceparent(std::string_view text) noexcept {
    if (text.size() != 55 || !text.starts_with("00-")) return {};
    for (std::size_t i = 3; i < text.size(); ++i) {
        const char c = text[i];
        const bool dash = i == 35 || i == 52;
        const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (dash ? c != '-' : !digit) return {};
    }
    return text;
}

void write_order(const order& it, http::response& out) {
    out.add("ETag", etag(it.version).view());
    out.fields.append(order_fields);
    append_json(it, out.body);
}

// The same page with another cursor.
std::string next_link(const http::request& in, const std::vector<query_parameter>& parameters,
                      std::string_view cursor) {
    std::string out = "<";
    out.append(in.path).append(1, '?');
    for (const query_parameter& it : parameters) {
        if (it.name == "cursor") continue;
        percent_encode(it.name, out);
        out.append(1, '=');
        percent_encode(it.value, out);
        out.append(1, '&');
    }
    return out.append("cursor=").append(cursor).append(R"(>; rel="next")");
}

}  // namespace

bool api::create_order(const call& it, http::response& out, pending& todo) {
    if (!is_json(it.in.find("Content-Type"))) {
        http::write_problem(problems::unsupported_media_type, {}, it.in, out);
        return false;
    }
    parsed_order parsed = parse_order(it.in.body);
    if (parsed.syntax.line != 0) {
        const std::string line = std::to_string(parsed.syntax.line);
        const std::string column = std::to_string(parsed.syntax.column);
        http::write_problem(problems::invalid_json,
                            "line " + line + ", column " + column + ": " + parsed.syntax.detail,
                            it.in, out, R"("line":)" + line + R"(,"column":)" + column);
        return false;
    }
    if (!parsed.errors.empty()) {
        write_validation(parsed.errors, it.in, out);
        return false;
    }
    todo.what.what = submit_order{std::move(parsed.value)};
    todo.what.traceparent = valid_traceparent(it.in.find("traceparent"));
    todo.finish = &api::finish_create;
    return true;
}

void api::finish_create(const http::request& in, const change_outcome& outcome,
                        http::response& out) {
    if (outcome.ec == errc::already_exists) {
        return http::write_problem(problems::order_exists, {}, in, out);
    }
    if (outcome.ec) return fail({outcome.ec}, in, out);
    const order& made = outcome.after.value();
    out.status = 201;
    out.fields.append("Location: /orders/").append(made.id.value().view()).append("\r\n");
    write_order(made, out);
}

bool api::get_order(const call& it, http::response& out, pending&) {
    const auto decoded = percent_decode(it.parameter);
    if (!decoded) {
        http::write_problem(problems::bad_request, "the path is malformed", it.in, out);
        return false;
    }
    if (!it.in.query.empty()) {
        if (const auto given = parse_query(it.in.query); !given || !given->empty()) {
            write_bad_parameter(given ? given->front().name : "", "there is no such parameter",
                                it.in, out);
            return false;
        }
    }
    if (!order_id::parse(*decoded)) {  // so there cannot be one
        http::write_problem(problems::not_found, {}, it.in, out);
        return false;
    }
    load_params params;
    params.ids = {&*decoded, 1};
    auto loaded = reader_.use([&](repository& from) { return from.load(params); });
    if (!loaded) {
        fail(loaded.error(), it.in, out);
    } else if (const auto& found = loaded->at(0); !found) {
        http::write_problem(problems::not_found, {}, it.in, out);
    } else if (none_match_names(it.in.find("If-None-Match"), etag(found->version).view())) {
        out.status = 304;
        out.add("ETag", etag(found->version).view());
        out.fields.append(order_fields);
    } else {
        write_order(*found, out);
    }
    return false;
}

bool api::list_orders(const call& it, http::response& out, pending&) {
    answer_page(it, std::nullopt, out);
    return false;
}

bool api::list_orders_by_status(const call& it, http::response& out, pending&) {
    const auto decoded = percent_decode(it.parameter);
    const auto status = decoded ? find_status(*decoded, engine_.machine()) : std::nullopt;
    if (!decoded) {
        http::write_problem(problems::bad_request, "the path is malformed", it.in, out);
    } else if (!status) {
        http::write_problem(problems::not_found, "there is no such status", it.in, out);
    } else {
        answer_page(it, status, out);
    }
    return false;
}

void api::answer_page(const call& it, std::optional<order_status> fixed, http::response& out) {
    const auto parameters = parse_query(it.in.query);
    if (!parameters) {
        return http::write_problem(problems::bad_request, "the query is malformed", it.in, out);
    }
    list_query query;
    if (const auto bad = parse_list_query(*parameters, engine_.machine(), fixed, query)) {
        return write_bad_parameter(bad->name, bad->detail, it.in, out);
    }
    const list_params params = query.params();
    auto page = reader_.use([&](repository& from) { return from.list(params); });
    if (!page) return fail(page.error(), it.in, out);
    out.fields.append(order_fields);
    out.body.append(R"({"items":[)");
    for (const order& one : page->orders) {
        if (&one != page->orders.data()) out.body.append(1, ',');
        append_json(one, out.body);
    }
    out.body.append(R"(],"next_cursor":)");
    if (page->next) {
        const std::string cursor = make_cursor(query, *page->next);
        out.body.append(1, '"').append(cursor).append(1, '"');
        out.add("Link", next_link(it.in, *parameters, cursor));
    } else {
        out.body.append("null");
    }
    out.body.append(1, '}');
}

}  // namespace orderproc::server
