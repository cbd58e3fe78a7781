#ifndef ORDERPROC_SERVER_API_LIST_QUERY_HPP
#define ORDERPROC_SERVER_API_LIST_QUERY_HPP

// The parameters of a list page, and its cursors.

#include "api/uri.hpp"

#include <orderproc/repository.hpp>
#include <orderproc/status_machine.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

struct list_query {
    static constexpr std::size_t limit_max = 100;
    static constexpr std::size_t limit_default = 20;

    std::vector<order_status> statuses;  // sorted, each once; empty: any
    order_scope scope;
    std::optional<timestamp> created_from;
    std::optional<timestamp> created_until;
    bool descending = true;
    std::size_t limit = limit_default;
    std::optional<list_position> after;

    list_params params() const;  // points into this
};

// Why a query is refused.
struct bad_parameter {
    std::string name;
    std::string detail;
    std::vector<std::string_view> allowed;  // what it may be, where that is a list
};

// The names of the parameters there are; of status only if no path names it.
std::vector<std::string_view> list_parameters(bool with_status);

// fixed: the status that the path names; then there is no parameter of that name.
std::optional<bad_parameter> parse_list_query(const std::vector<query_parameter>& parameters,
                                              const status_machine& machine,
                                              std::optional<order_status> fixed, list_query& out);

// A status in any case; none if the machine does not have it.
std::optional<order_status> find_status(std::string_view text, const status_machine& machine);
// For who asked for another one.
std::vector<std::string_view> names_of_statuses(const status_machine& machine);

// A position in the list that these filters and this order give, as base64url (RFC 4648, 5).
// It says nothing to clients; a checksum over all of it tells damage and other filters apart.
std::string make_cursor(const list_query& of, const list_position& at);
std::optional<list_position> read_cursor(const list_query& of, std::string_view cursor);

}  // namespace orderproc::server

#endif
