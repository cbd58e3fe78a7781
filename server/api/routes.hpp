#ifndef ORDERPROC_SERVER_API_ROUTES_HPP
#define ORDERPROC_SERVER_API_ROUTES_HPP

// What there is to ask for: one table, from which come the answers to OPTIONS, HEAD and
// methods that a resource does not have, and the names by which requests are counted.

#include "auth/scope.hpp"
#include "http/message.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace orderproc::server {

class api;
struct pending;

// The one route whose body may be large.
inline constexpr std::string_view batch_path = "/orders/batch";

// How many entries of an order's history an answer has at most; a link leads to the rest.
inline constexpr std::size_t history_entries_max = 1000;
// The same for a page of the journal, and how many it has unless asked for another number.
inline constexpr std::size_t journal_entries_max = 1000;
inline constexpr std::size_t journal_limit_default = 100;

// How many workers an answer has at most, and how many unless asked for another number.
inline constexpr std::size_t workers_limit_max = 1000;
inline constexpr std::size_t workers_limit_default = 100;

// A request and what its path carries.
struct call {
    const http::request& in;
    std::string_view parameter;  // as sent: percent-encoded
    std::string_view second;     // the same; empty: the pattern has one parameter at most
    std::string_view key;        // Idempotency-Key; empty: none
};

// Who may ask for a route: whoever holds one of the scopes, or anybody. A route that states
// neither is asked for in vain.
struct access {
    bool stated = false;
    auth::scope_set any_of = {};
    bool by_event = false;  // then the event that is raised names the one that it needs

    constexpr bool open() const noexcept { return stated && any_of.empty(); }
};

struct route {
    std::string_view method;
    std::string_view pattern;  // "/orders/{order_id}": at most two parameters, whole segments
    std::string_view name;
    bool (api::*handle)(const call&, http::response&, pending&);  // true: pending is to be done
    access needs = {};
};

std::span<const route> routes() noexcept;

// As sent; empty: there is none.
struct path_parameters {
    std::string_view first, second;
};
struct route_match {
    const route* found = nullptr;  // for HEAD that of GET
    path_parameters carried;
    bool path_known = false;  // with some method
};
route_match match(std::string_view method, std::string_view path) noexcept;

// Is it about how the server is doing?
bool is_operation(std::string_view path) noexcept;

// "GET, HEAD, OPTIONS": the methods of a path.
std::string allowed_methods(std::string_view path);

}  // namespace orderproc::server

#endif
