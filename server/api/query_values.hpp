#ifndef ORDERPROC_SERVER_API_QUERY_VALUES_HPP
#define ORDERPROC_SERVER_API_QUERY_VALUES_HPP

// Values of query parameters that several resources have.

#include "http/message.hpp"

#include <orderproc/order_model.hpp>
#include <orderproc/status_machine.hpp>

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace orderproc::server {

// Why a query is refused.
struct bad_parameter {
    std::string name;
    std::string detail;
    std::vector<std::string> allowed = {};  // what it may be, where that is a list
};

// 400, as write_bad_parameter() of problems.hpp.
void write_bad_parameter(const bad_parameter& what, const http::request& to, http::response& out);

inline constexpr std::string_view no_such_parameter = "there is no such parameter";
inline constexpr std::string_view given_twice = "may be given once";

// A status in any case; none if the machine does not have it.
std::optional<order_status> find_status(std::string_view text, const status_machine& machine);
// The text of a refusal of an unknown status lists these.
std::vector<std::string_view> names_of_statuses(const status_machine& machine);

template <class Integer>
bool parse_integer(std::string_view text, Integer low, Integer high, Integer& out) noexcept {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc() && end == text.data() + text.size() && out >= low && out <= high;
}

// These return what is wrong with the value; empty: nothing.
std::string read_user(std::string_view value, const order_model& model, order_scope& to);
std::string read_tenant(std::string_view value, order_scope& to);
std::string read_limit(std::string_view value, std::size_t most, std::size_t& to);
// Appends the statuses, which commas separate. allowed: what each may be, if one is unknown.
std::string read_statuses(std::string_view value, const status_machine& machine,
                          std::vector<order_status>& to, std::vector<std::string>& allowed);

// "user_id" and "tenant", as far as orders of the model have them.
std::vector<std::string> scope_parameters(const order_model& model);
// One of these: what is wrong with it, if anything. None: it is another parameter.
std::optional<std::string> read_scope(std::string_view name, std::string_view value,
                                      const order_model& model, order_scope& to);

inline constexpr std::string_view not_a_position = "has to be a feed position such as 1-42, or 0";

// Sorted, each once.
void normalize(std::vector<order_status>& statuses);

}  // namespace orderproc::server

#endif
