#include "api/caller.hpp"

#include "api/representation.hpp"

#include <orderproc/idempotency.hpp>

#include <optional>

namespace orderproc::server {

namespace {

bool narrow_one(const std::optional<std::string>& allowed, std::optional<std::string>& asked) {
    if (!allowed) return true;
    if (asked && *asked != *allowed) return false;
    asked = allowed;
    return true;
}

}  // namespace

caller identify(const http::request&) {
    return {};
}

void speak_for(const caller& by, const http::request& in, std::string_view operation,
               std::string_view order, std::string_view key, std::string_view body, command& what) {
    what.actor = by.actor;
    what.scope = by.scope;
    what.traceparent = valid_traceparent(in.find("traceparent"));
    if (key.empty()) return;
    const idempotency_scope scope{by.principal, in.method, operation, order};
    what.idempotency_key = make_idempotency(scope, key, body);
}

bool narrow(const caller& by, order_scope& asked) {
    return narrow_one(by.scope.user, asked.user) && narrow_one(by.scope.tenant, asked.tenant);
}

}  // namespace orderproc::server
