#include "api/caller.hpp"

#include "api/representation.hpp"

#include <orderproc/idempotency.hpp>

#include <optional>
#include <variant>

namespace orderproc::server {

namespace {

bool narrow_one(const std::optional<std::string>& allowed, std::optional<std::string>& asked) {
    if (!allowed) return true;
    if (asked && *asked != *allowed) return false;
    asked = allowed;
    return true;
}

}  // namespace

bool caller::sees(const order_content& it) const noexcept {
    return (!who->user() || *who->user() == it.user) &&
           (!who->tenant() || *who->tenant() == it.tenant);
}

void speak_for(const caller& by, const http::request& in, std::string_view operation,
               std::string_view order, std::string_view key, std::string_view body, command& what) {
    what.actor = by.name();
    if (by.bound()) {
        what.scope = by.scope();
        if (auto* made = std::get_if<submit_order>(&what.what)) {
            if (made->value.user.empty()) made->value.user = by.who->user().value_or("");
            if (made->value.tenant.empty()) made->value.tenant = by.who->tenant().value_or("");
        }
    }
    what.traceparent = valid_traceparent(in.find("traceparent"));
    if (key.empty()) return;
    const idempotency_scope scope{by.who->key_owner(), in.method, operation, order};
    what.idempotency_key = make_idempotency(scope, key, body);
}

bool narrow(const caller& by, order_scope& asked) {
    return narrow_one(by.who->user(), asked.user) && narrow_one(by.who->tenant(), asked.tenant);
}

void conceal(order& it) {
    it.last_error.clear();
}

void conceal(journal_entry& it) {
    it.actor.clear();
    it.reason.clear();
    conceal(it.after);
}

}  // namespace orderproc::server
