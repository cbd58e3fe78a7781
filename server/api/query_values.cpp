#include "api/query_values.hpp"

#include "api/problems.hpp"

#include <algorithm>
#include <cstdint>

namespace orderproc::server {

std::optional<order_status> find_status(std::string_view text, const status_machine& machine) {
    std::string upper(text);
    for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    }
    const auto status = order_status::parse(upper);
    if (!status || !machine.contains(*status)) return std::nullopt;
    return *status;
}

std::vector<std::string_view> names_of_statuses(const status_machine& machine) {
    std::vector<std::string_view> out;
    for (const order_status& it : machine.statuses()) out.push_back(it.view());
    return out;
}

void write_bad_parameter(const bad_parameter& what, const http::request& to, http::response& out) {
    const std::vector<std::string_view> allowed(what.allowed.begin(), what.allowed.end());
    write_bad_parameter(what.name, what.detail, to, out, allowed);
}

// Without a value: of guests, where there are any.
std::string read_user(std::string_view value, const order_model& model, order_scope& to) {
    const order_rules& rules = model.rules();
    const bool guests = value.empty() && rules.guests;
    if (guests || rules.user == user_form::text) {
        if (!guests && (value.empty() || value.size() > order::user_size_max)) {
            return "has to have 1 to " + std::to_string(order::user_size_max) + " bytes";
        }
        to.user = value;
        return {};
    }
    std::int64_t user = 0;
    if (!parse_integer(value, std::int64_t{1}, INT64_MAX, user)) {
        return "has to be an integer of 1 or more";
    }
    to.user = std::to_string(user);
    return {};
}

std::string read_tenant(std::string_view value, order_scope& to) {
    if (value.empty() || value.size() > order::tenant_size_max) {
        return "has to have 1 to " + std::to_string(order::tenant_size_max) + " bytes";
    }
    to.tenant = value;
    return {};
}

std::vector<std::string> scope_parameters(const order_model& model) {
    std::vector<std::string> out;
    if (model.rules().user != user_form::none) out.emplace_back("user_id");
    if (model.rules().tenants) out.emplace_back("tenant");
    return out;
}

std::optional<std::string> read_scope(std::string_view name, std::string_view value,
                                      const order_model& model, order_scope& to) {
    const order_rules& rules = model.rules();
    if (name == "user_id" && rules.user != user_form::none) {
        return to.user ? std::string(given_twice) : read_user(value, model, to);
    }
    if (name == "tenant" && rules.tenants) {
        return to.tenant ? std::string(given_twice) : read_tenant(value, to);
    }
    return std::nullopt;
}

std::string read_limit(std::string_view value, std::size_t most, std::size_t& to) {
    if (parse_integer(value, std::size_t{1}, most, to)) return {};
    return "has to be an integer from 1 to " + std::to_string(most);
}

std::string read_statuses(std::string_view value, const status_machine& machine,
                          std::vector<order_status>& to, std::vector<std::string>& allowed) {
    for (;;) {
        const std::size_t comma = value.find(',');
        const auto status = find_status(value.substr(0, comma), machine);
        if (!status) {
            const auto names = names_of_statuses(machine);
            allowed.assign(names.begin(), names.end());
            return "there is no such status";
        }
        to.push_back(*status);
        if (comma == value.npos) return {};
        value.remove_prefix(comma + 1);
    }
}

void normalize(std::vector<order_status>& statuses) {
    std::sort(statuses.begin(), statuses.end());
    statuses.erase(std::unique(statuses.begin(), statuses.end()), statuses.end());
}

}  // namespace orderproc::server
