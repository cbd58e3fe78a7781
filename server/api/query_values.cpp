#include "api/query_values.hpp"

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

std::string read_user(std::string_view value, order_scope& to) {
    std::int64_t user = 0;
    if (!parse_integer(value, std::int64_t{1}, INT64_MAX, user)) {
        return "has to be an integer of 1 or more";
    }
    to.user = std::to_string(user);
    return {};
}

std::string read_limit(std::string_view value, std::size_t most, std::size_t& to) {
    if (parse_integer(value, std::size_t{1}, most, to)) return {};
    return "has to be an integer from 1 to " + std::to_string(most);
}

std::string read_statuses(std::string_view value, const status_machine& machine,
                          std::vector<order_status>& to, std::vector<std::string_view>& allowed) {
    for (;;) {
        const std::size_t comma = value.find(',');
        const auto status = find_status(value.substr(0, comma), machine);
        if (!status) {
            allowed = names_of_statuses(machine);
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
