#include "api/routes.hpp"

#include "api/api.hpp"

#include <algorithm>
#include <iterator>

namespace orderproc::server {

namespace {

using auth::scope;

constexpr access anybody{true, {}};
constexpr access reads{true, {scope::orders_read}};
constexpr access writes{true, {scope::orders_write}};
constexpr access raises{true, auth::scopes_of_events, true};
constexpr access erases{true, {scope::erase}};
#ifdef ORDERPROC_WITH_WEBHOOKS
constexpr access webhooks{true, {scope::webhooks}};
#endif
constexpr access scrapes{true, {scope::metrics}};
constexpr access watches{true, {scope::read}};
constexpr access operates{true, {scope::operate}};
constexpr access follows{true, {scope::read, scope::operate}};
constexpr access holds_any{true, auth::all_scopes};

constexpr route table[] = {
    {"POST", "/orders", "create_order", &api::create_order, writes},
    {"POST", batch_path, "create_orders", &api::create_orders, writes},
    {"GET", "/orders", "list_orders", &api::list_orders, reads},
    {"GET", "/orders/{order_id}", "get_order", &api::get_order, reads},
    {"PUT", "/orders/{order_id}", "replace_order", &api::replace_order, writes},
    {"PATCH", "/orders/{order_id}", "patch_order", &api::patch_order, writes},
    {"PATCH", "/orders/{order_id}/annotations", "annotate_order", &api::patch_annotations, writes},
    {"POST", "/orders/{order_id}/redact", "redact_order", &api::erase_personal, erases},
    {"GET", "/orders/{order_id}/history", "get_history", &api::get_history, reads},
    {"DELETE", "/orders/{order_id}", "delete_order", &api::delete_order, writes},
    {"POST", "/orders/{order_id}/cancel", "cancel_order", &api::cancel_order, raises},
    {"POST", "/orders/{order_id}/retry", "retry_order", &api::retry_order, raises},
    {"POST", "/orders/{order_id}/transitions", "raise_transition", &api::raise_transition, raises},
    {"POST", "/orders/{order_id}/attempts/{attempt_token}", "answer_attempt", &api::answer_attempt,
     writes},
    {"GET", "/orders/status/{status}", "list_orders_by_status", &api::list_orders_by_status, reads},
    {"GET", "/events", "stream_events", &api::stream_events, reads},
    {"GET", "/orders/{order_id}/events", "stream_order_events", &api::stream_order_events, reads},
    {"GET", "/journal", "get_journal", &api::get_journal, reads},
#ifdef ORDERPROC_WITH_WEBHOOKS
    {"POST", "/webhooks", "create_webhook", &api::create_endpoint, webhooks},
    {"GET", "/webhooks", "list_webhooks", &api::list_endpoints, webhooks},
    {"GET", "/webhooks/{webhook_id}", "get_webhook", &api::get_endpoint, webhooks},
    {"PATCH", "/webhooks/{webhook_id}", "patch_webhook", &api::patch_endpoint, webhooks},
    {"DELETE", "/webhooks/{webhook_id}", "delete_webhook", &api::delete_endpoint, webhooks},
    {"POST", "/webhooks/{webhook_id}/test", "test_webhook", &api::test_endpoint, webhooks},
    {"POST", "/webhooks/{webhook_id}/rotate", "rotate_webhook", &api::rotate_endpoint, webhooks},
    {"POST", "/webhooks/{webhook_id}/pause", "pause_webhook", &api::pause_endpoint, webhooks},
    {"POST", "/webhooks/{webhook_id}/resume", "resume_webhook", &api::resume_endpoint, webhooks},
    {"POST", "/webhooks/{webhook_id}/replay", "replay_webhook", &api::replay_endpoint, webhooks},
    {"GET", "/webhooks/{webhook_id}/attempts", "list_webhook_attempts", &api::list_attempts,
     webhooks},
#endif
    {"GET", "/whoami", "get_whoami", &api::get_whoami, holds_any},
    {"GET", "/pauses", "list_pauses", &api::list_pauses, watches},
    {"POST", "/pause", "pause_work", &api::pause_work, operates},
    {"POST", "/resume", "resume_work", &api::resume_work, operates},
    {"GET", "/workers", "list_workers", &api::list_workers, watches},
    {"GET", "/orders/{order_id}/explain", "explain_order", &api::explain_order, watches},
    {"GET", "/dead-letters", "get_dead_letters", &api::get_dead_letters, watches},
    {"POST", "/dead-letters/retry", "retry_dead_letters", &api::retry_dead_letters, operates},
    {"GET", "/operations/{operation_id}", "get_operation", &api::get_operation, follows},
    {"POST", "/operations/{operation_id}/stop", "stop_operation", &api::stop_operation, operates},
    {"GET", "/stats", "get_stats", &api::get_stats, watches},
    {"GET", "/findings", "get_findings", &api::get_findings, watches},
    {"GET", "/metrics", "get_metrics", &api::get_metrics, scrapes},
    {"GET", "/healthz", "get_health", &api::get_health, anybody},
    {"GET", "/readyz", "get_readiness", &api::get_readiness, anybody},
    {"GET", "/model", "get_model", &api::get_model, reads},
    {"GET", "/openapi.json", "get_openapi", &api::get_openapi, anybody},
    {"GET", "/docs", "get_docs", &api::get_docs, anybody},
    {"GET", "/docs/{file}", "get_docs_file", &api::get_docs, anybody},
    {"GET", "/dashboard/{file}", "get_dashboard_file", &api::get_docs, anybody},
    {"GET", "/", "get_root", &api::get_root, anybody},
};

// A path that a pattern spells out is not one that another pattern's parameter may stand for.
bool spelt_out(std::string_view path) noexcept {
    return std::any_of(std::begin(table), std::end(table),
                       [&](const route& it) { return it.pattern == path; });
}

// A parameter is a whole segment of the path, and never empty.
bool fits(std::string_view pattern, std::string_view path, path_parameters& found) noexcept {
    found = {};
    for (std::string_view* to : {&found.first, &found.second}) {
        const std::size_t open = pattern.find('{');
        if (open == pattern.npos) break;
        if (!path.starts_with(pattern.substr(0, open))) return false;
        path.remove_prefix(open);
        pattern.remove_prefix(pattern.find('}') + 1);
        *to = path.substr(0, path.find('/'));
        if (to->empty()) return false;
        path.remove_prefix(to->size());
    }
    return pattern == path;
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
        path_parameters carried;
        if (literal ? it.pattern != path : !fits(it.pattern, path, carried)) continue;
        out.path_known = true;
        if (it.method != method) continue;
        out.found = &it;
        out.carried = carried;
        break;
    }
    return out;
}

std::string allowed_methods(std::string_view path) {
    const bool literal = spelt_out(path);
    std::string out;
    for (const route& it : table) {
        path_parameters carried;
        if (literal ? it.pattern != path : path != "*" && !fits(it.pattern, path, carried)) {
            continue;
        }
        if (out.find(it.method) != out.npos) continue;  // "*" meets methods twice
        out.append(it.method).append(", ");
        if (it.method == "GET") out.append("HEAD, ");
    }
    return out.append("OPTIONS");
}

}  // namespace orderproc::server
