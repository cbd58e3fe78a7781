#include "api/routes.hpp"

#include "api/api.hpp"

#include <algorithm>
#include <iterator>

namespace orderproc::server {

namespace {

constexpr route table[] = {
    {"POST", "/orders", "create_order", &api::create_order},
    {"POST", batch_path, "create_orders", &api::create_orders},
    {"GET", "/orders", "list_orders", &api::list_orders},
    {"GET", "/orders/{order_id}", "get_order", &api::get_order},
    {"PUT", "/orders/{order_id}", "replace_order", &api::replace_order},
    {"PATCH", "/orders/{order_id}", "patch_order", &api::patch_order},
    {"PATCH", "/orders/{order_id}/annotations", "annotate_order", &api::patch_annotations},
    {"POST", "/orders/{order_id}/redact", "redact_order", &api::erase_personal},
    {"GET", "/orders/{order_id}/history", "get_history", &api::get_history},
    {"DELETE", "/orders/{order_id}", "delete_order", &api::delete_order},
    {"POST", "/orders/{order_id}/cancel", "cancel_order", &api::cancel_order},
    {"POST", "/orders/{order_id}/retry", "retry_order", &api::retry_order},
    {"POST", "/orders/{order_id}/transitions", "raise_transition", &api::raise_transition},
    {"GET", "/orders/status/{status}", "list_orders_by_status", &api::list_orders_by_status},
    {"GET", "/events", "stream_events", &api::stream_events},
    {"GET", "/orders/{order_id}/events", "stream_order_events", &api::stream_order_events},
    {"GET", "/journal", "get_journal", &api::get_journal},
    {"GET", "/metrics", "get_metrics", &api::get_metrics},
    {"GET", "/healthz", "get_health", &api::get_health},
    {"GET", "/readyz", "get_readiness", &api::get_readiness},
    {"GET", "/model", "get_model", &api::get_model},
    {"GET", "/openapi.json", "get_openapi", &api::get_openapi},
    {"GET", "/docs", "get_docs", &api::get_docs},
    {"GET", "/docs/{file}", "get_docs_file", &api::get_docs},
    {"GET", "/", "get_root", &api::get_root},
};

// A path that a pattern spells out is not one that another pattern's parameter may stand for.
bool spelt_out(std::string_view path) noexcept {
    return std::any_of(std::begin(table), std::end(table),
                       [&](const route& it) { return it.pattern == path; });
}

bool fits(std::string_view pattern, std::string_view path, std::string_view& parameter) noexcept {
    const std::size_t open = pattern.find('{');
    if (open == pattern.npos) return pattern == path;
    const std::size_t close = pattern.find('}');
    const std::string_view before = pattern.substr(0, open);
    const std::string_view behind = pattern.substr(close + 1);
    if (path.size() <= before.size() + behind.size()) return false;
    if (!path.starts_with(before) || !path.ends_with(behind)) return false;
    parameter = path.substr(before.size(), path.size() - before.size() - behind.size());
    return parameter.find('/') == parameter.npos;
}

}  // namespace

std::span<const route> routes() noexcept {
    return table;
}

bool is_operation(std::string_view path) noexcept {
    return path == "/metrics" || path == "/healthz" || path == "/readyz";
}

route_match match(std::string_view method, std::string_view path) noexcept {
    if (method == "HEAD") method = "GET";
    const bool literal = spelt_out(path);
    route_match out;
    for (const route& it : table) {
        std::string_view parameter;
        if (literal ? it.pattern != path : !fits(it.pattern, path, parameter)) continue;
        out.path_known = true;
        if (it.method != method) continue;
        out.found = &it;
        out.parameter = parameter;
        break;
    }
    return out;
}

std::string allowed_methods(std::string_view path) {
    const bool literal = spelt_out(path);
    std::string out;
    for (const route& it : table) {
        std::string_view parameter;
        if (literal ? it.pattern != path : path != "*" && !fits(it.pattern, path, parameter)) {
            continue;
        }
        if (out.find(it.method) != out.npos) continue;  // "*" meets methods twice
        out.append(it.method).append(", ");
        if (it.method == "GET") out.append("HEAD, ");
    }
    return out.append("OPTIONS");
}

}  // namespace orderproc::server
