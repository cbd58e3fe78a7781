#include "auth/scope.hpp"

#include <array>

namespace orderproc::server::auth {

namespace {

struct named_scope {
    scope value;
    std::string_view name;
};
constexpr std::array<named_scope, 7> scope_names{{
    {scope::orders_read, "orders:read"},
    {scope::orders_write, "orders:write"},
    {scope::read, "read"},
    {scope::webhooks, "webhooks"},
    {scope::operate, "operate"},
    {scope::erase, "erase"},
    {scope::metrics, "metrics"},
}};

}  // namespace

std::string_view to_string(scope it) noexcept {
    for (const named_scope& one : scope_names) {
        if (one.value == it) return one.name;
    }
    return {};
}

std::optional<scope> find_scope(std::string_view name) noexcept {
    for (const named_scope& one : scope_names) {
        if (one.name == name) return one.value;
    }
    return std::nullopt;
}

std::string names_of_scopes() {
    std::string out;
    for (const named_scope& one : scope_names) {
        if (!out.empty()) out.append(", ");
        out.append(one.name);
    }
    return out;
}

std::vector<scope> scopes_in(const scope_set& all) {
    std::vector<scope> out;
    for (const named_scope& one : scope_names) {
        if (all.has(one.value)) out.push_back(one.value);
    }
    return out;
}

std::string to_string(const scope_set& all, std::string_view between) {
    std::string out;
    for (const named_scope& one : scope_names) {
        if (!all.has(one.value)) continue;
        if (!out.empty()) out.append(between);
        out.append(one.name);
    }
    return out;
}

result<scope_set> parse_scopes(std::span<const std::string> names) {
    scope_set out;
    for (const std::string& name : names) {
        const auto found = find_scope(name);
        if (!found) {
            return failure{errc::invalid_argument,
                           "unknown scope \"" + name + "\": expected " + names_of_scopes()};
        }
        out.add(*found);
    }
    if (out.empty()) {
        return failure{errc::invalid_argument, "at least one scope of " + names_of_scopes()};
    }
    return out;
}

}  // namespace orderproc::server::auth
