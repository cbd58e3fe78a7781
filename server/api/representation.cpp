#include "api/representation.hpp"

#include "api/preconditions.hpp"
#include "api/problems.hpp"
#include "api/query_values.hpp"
#include "http/base64url.hpp"

#include <algorithm>
#include <utility>

namespace orderproc::server {

result<feed_position> newest_position(repository_reader& from) {
    feed_params bounds_only;
    bounds_only.limit = 0;
    const auto page = from.read_feed(bounds_only);
    if (!page) return page.error();
    return page->newest;
}

void add_order_fields(const feed_position& at, http::response& out) {
    out.fields.append(order_fields);
    out.add("Feed-Position", to_string(at));
}

std::string next_link(const std::vector<query_parameter>& parameters, std::string_view name,
                      std::string_view value) {
    std::string out = "<?";
    for (const query_parameter& it : parameters) {
        if (it.name == name) continue;
        percent_encode(it.name, out);
        out.append(1, '=');
        percent_encode(it.value, out);
        out.append(1, '&');
    }
    return out.append(name).append(1, '=').append(value).append(R"(>; rel="next")");
}

void write_order(const order& it, const order_model& model, http::response& out) {
    out.add("ETag", etag(it.version).view());
    out.fields.append(order_fields);
    append_json(it, out.body, model);
}

void append_path_name(const order_id& id, std::string& out) {
    if (id.is_plain()) {
        out.append(id.view());
    } else {
        out.append(1, '~').append(http::to_base64url(id.view()));
    }
}

std::string path_name(const order_id& id) {
    std::string out;
    append_path_name(id, out);
    return out;
}

std::optional<std::string> named_order(std::string_view name) {
    auto text = percent_decode(name);
    if (!text || !text->starts_with('~')) return text;
    auto id = http::from_base64url(std::string_view(*text).substr(1));
    return id ? id : text;
}

bool read_order_id(const call& it, std::string& id, http::response& out) {
    auto decoded = named_order(it.parameter);
    if (!decoded) {
        http::write_problem(problems::bad_request, "the path is malformed", it.in, out);
        return false;
    }
    if (!order_id::parse(*decoded)) {
        http::write_problem(problems::not_found, {}, it.in, out);
        return false;
    }
    id = std::move(*decoded);
    return true;
}

bool read_parameters(const http::request& in, std::span<const std::string_view> names,
                     std::span<std::optional<std::string>> values, http::response& out) {
    if (in.query.empty()) return true;
    auto given = parse_query(in.query);
    if (!given) {
        http::write_problem(problems::bad_request, "the query is malformed", in, out);
        return false;
    }
    for (query_parameter& it : *given) {
        const auto found = std::find(names.begin(), names.end(), it.name);
        const bool known = found != names.end();
        std::optional<std::string>* const to =
            known ? &values[static_cast<std::size_t>(found - names.begin())] : nullptr;
        if (!to || *to) {
            write_bad_parameter(it.name, known ? given_twice : no_such_parameter, in, out,
                                known ? std::span<const std::string_view>() : names);
            return false;
        }
        *to = std::move(it.value);
    }
    return true;
}

bool read_parameter(const http::request& in, std::string_view name,
                    std::optional<std::string>& value, http::response& out) {
    return read_parameters(in, {&name, name.empty() ? 0U : 1U}, {&value, 1}, out);
}

bool expect_no_query(const http::request& in, http::response& out) {
    std::optional<std::string> none;
    return read_parameter(in, {}, none, out);
}

bool expect_valid(const syntax_error& syntax, std::span<const field_error> errors,
                  const http::request& in, http::response& out) {
    if (syntax.line != 0) {
        write_syntax_error(syntax, in, out);
        return false;
    }
    if (!errors.empty()) {
        write_validation(errors, in, out);
        return false;
    }
    return true;
}

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

}  // namespace orderproc::server
