#ifndef ORDERPROC_SERVER_API_JSON_BODY_HPP
#define ORDERPROC_SERVER_API_JSON_BODY_HPP

// Small bodies that are no orders: one object, whose members are read by name.

#include "http/message.hpp"
#include "http/problem.hpp"

#include <orderproc/json.hpp>

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// What is wrong with a body: it is no JSON, or these fields are not what they have to be.
struct body_faults {
    std::string syntax;
    std::vector<field_error> errors;
    bool none() const noexcept { return syntax.empty() && errors.empty(); }
};

std::string pointer_to(std::string_view member);  // "#/url"

// Reads a member, or says that there is none of that name: false.
using member_reader = std::function<bool(std::string_view name, const boost::json::value& value,
                                         std::vector<field_error>& errors)>;
body_faults read_members(std::string_view body, const member_reader& read);

// These say what is wrong in errors, and then return nullopt. null is as if nothing was given.
std::optional<std::string> text_of(std::string_view name, const boost::json::value& value,
                                   std::vector<field_error>& errors);
std::optional<std::vector<std::string>> texts_of(std::string_view name,
                                                 const boost::json::value& value, std::size_t most,
                                                 std::vector<field_error>& errors);

// Answers with what is wrong: 400, or 422 of that kind.
void write_faults(const http::problem_kind& kind, const body_faults& what, const http::request& in,
                  http::response& out);
// Whether the body is declared as JSON, or is empty where it may be; else answered.
bool expect_json(const http::request& in, bool may_be_empty, http::response& out);

}  // namespace orderproc::server

#endif
