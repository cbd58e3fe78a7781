#ifndef ORDERPROC_SERVER_API_LIST_QUERY_HPP
#define ORDERPROC_SERVER_API_LIST_QUERY_HPP

// The parameters of a list page, and its cursors.

#include "api/caller.hpp"
#include "api/cursor_seal.hpp"
#include "api/query_values.hpp"
#include "api/uri.hpp"

#include <orderproc/changed_orders.hpp>
#include <orderproc/order_model.hpp>
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
    static constexpr std::size_t total_max = 10'000;  // what is counted at most

    std::vector<order_status> statuses;  // sorted, each once; empty: any
    order_scope scope;
    std::optional<timestamp> created_from;
    std::optional<timestamp> created_until;
    std::string id_prefix;
    // What the values of an attribute have to be, or the tenant.
    std::optional<index_condition> index;
    list_sort sort = list_sort::created_at;
    bool descending = true;
    std::size_t limit = limit_default;
    bool total = false;
    std::optional<list_position> after;
    // If there is one, the list is of what has changed since, in that order, and goes on after…
    std::optional<timestamp> updated_from;
    std::optional<feed_position> after_change;
    // If there is one, the list has this order or none; of the rest, scope and statuses count.
    std::optional<std::string> order_id;
    // Of its cursors, if the caller does not see all orders; outlives it. None: they are plain.
    const cursor_seal* seal = nullptr;

    bool has_status(order_status it) const noexcept;
    list_params params() const;      // points into this
    changed_params changes() const;  // the same. REQUIRES: updated_from
};

// What a list is of.
struct list_resource {
    const status_machine& machine;
    const order_model& model = order_model::standard();
    // The status that the path names; then there is no parameter of that name.
    std::optional<order_status> status = {};
    const cursor_seal* seal = nullptr;  // for callers that are bound
};

// The names of the parameters there are, but for those of attributes.
std::vector<std::string> list_parameters(const list_resource& of);
// Those of attributes: "attribute.reference", and with ".from" and ".to" behind that.
std::vector<std::string> attribute_parameters(const order_model& model);
// What a list can be sorted by.
std::vector<std::string> list_sorts(const order_model& model);

// The list is narrowed to what the caller may see.
std::optional<bad_parameter> parse_list_query(const std::vector<query_parameter>& parameters,
                                              const list_resource& of, const caller& by,
                                              list_query& out);

// A position in the list that these filters and this order give, as base64url (RFC 4648, 5).
// A checksum over all of it tells damage and other filters apart. It says where the page ended,
// which may be at an order that the caller does not see: then, with a seal, it says nothing.
std::string make_cursor(const list_query& of, const list_position& at);
std::optional<list_position> read_cursor(const list_query& of, std::string_view cursor);
// The same for a list of what has changed.
std::string make_cursor(const list_query& of, const feed_position& at);
std::optional<feed_position> read_change_cursor(const list_query& of, std::string_view cursor);

}  // namespace orderproc::server

#endif
