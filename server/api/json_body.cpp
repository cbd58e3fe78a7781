#include "api/json_body.hpp"

#include "api/problems.hpp"
#include "api/text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace orderproc::server {

namespace {

namespace js = boost::json;

}  // namespace

std::string pointer_to(std::string_view member) {
    return "#/" + std::string(member);
}

body_faults read_members(std::string_view body, const member_reader& read) {
    body_faults out;
    boost::system::error_code ec;
    const js::value parsed = js::parse(body, ec);
    if (ec) {
        out.syntax = ec.message();
        return out;
    }
    const js::object* const members = parsed.if_object();
    if (!members) {
        out.errors.push_back({"#", "wrong_type", "must be an object"});
        return out;
    }
    for (const auto& [name, value] : *members) {
        if (!read(std::string_view(name), value, out.errors)) {
            out.errors.push_back({pointer_to(name), "unknown_field", "is not a field here"});
        }
    }
    return out;
}

std::optional<std::string> text_of(std::string_view name, const js::value& value,
                                   std::vector<field_error>& errors) {
    if (value.is_null()) return std::string();
    if (const auto* text = value.if_string()) {
        if (text->find('\0') == text->npos) return std::string(*text);
    }
    errors.push_back({pointer_to(name), "wrong_type", "must be a string"});
    return std::nullopt;
}

std::optional<std::vector<std::string>> texts_of(std::string_view name, const js::value& value,
                                                 std::size_t most,
                                                 std::vector<field_error>& errors) {
    std::vector<std::string> out;
    if (value.is_null()) return out;
    const auto* const list = value.if_array();
    const bool whole = list && std::all_of(list->begin(), list->end(),
                                           [](const js::value& it) { return it.is_string(); });
    if (!whole || list->size() > most) {
        errors.push_back({pointer_to(name), "wrong_type",
                          "must be a list of at most " + std::to_string(most) + " strings"});
        return std::nullopt;
    }
    for (const js::value& it : *list) out.emplace_back(it.as_string());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

void write_faults(const http::problem_kind& kind, const body_faults& what, const http::request& in,
                  http::response& out) {
    if (!what.syntax.empty()) {
        http::write_problem(problems::invalid_json, what.syntax, in, out);
        return;
    }
    write_validation(kind, what.errors, in, out);
}

bool expect_json(const http::request& in, bool may_be_empty, http::response& out) {
    if (may_be_empty && in.body.empty()) return true;
    if (is_declared(in, "application/json")) return true;
    http::write_problem(problems::unsupported_media_type, "it has to be application/json", in, out);
    return false;
}

}  // namespace orderproc::server
