// Who may ask for what.

#include "api/api.hpp"
#include "api/problems.hpp"

#include <string>
#include <string_view>

namespace orderproc::server {

namespace {

// Says nothing of why a credential does not count: that is for the log.
void write_unknown(const auth::authenticator::verdict& found, const http::request& in,
                   http::response& out) {
    http::write_problem(*found.refusal, {}, in, out);
    if (found.retry_after != 0) out.add("Retry-After", std::to_string(found.retry_after));
    if (out.status != 401) return;
    out.add("WWW-Authenticate", found.invalid ? R"(Bearer realm="orderproc", error="invalid_token")"
                                              : R"(Bearer realm="orderproc")");
}

}  // namespace

void write_forbidden(std::string_view scopes, const http::request& in, http::response& out) {
    http::write_problem(problems::forbidden, "this needs the scope " + std::string(scopes), in,
                        out);
}

bool api::admit(http::request& in, caller& by, http::response& out) noexcept {
    try {
        by.who = auth::unasked();
        if (auth::has_credential(in.query)) {
            http::write_problem(problems::bad_request,
                                "a credential belongs into the field Authorization, never into a "
                                "URL: revoke it, for it may have been logged on its way",
                                in, out);
            return false;
        }
        if (!parts_.auth) return true;
        by.who = auth::nobody();
        const route_match matched = find_route(in);
        if (!matched.found) return true;  // there is nothing to see
        const access& needs = matched.found->needs;
        if (needs.open() && !is_operation(in.path)) return true;
        auto found = parts_.auth->judge(in);
        by.who = std::move(found.who);
        in.principal = by.name();
        in.bound = by.bound();
        if (needs.open() || by.who->scopes().meets(needs.any_of)) return true;
        if (by.who == auth::nobody()) {
            write_unknown(found, in, out);
        } else {
            write_forbidden(to_string(needs.any_of, " or "), in, out);
        }
        return false;
    } catch (...) {
        fail_with_exception(in, out);
        return false;
    }
}

// The body may have come long after the header, and the credential may have ended meanwhile. False:
// answered.
bool api::still_may(const access& needs, const caller& by, const http::request& in,
                    http::response& out) const {
    if (needs.open()) return true;
    if (!by.who->ended() && by.who->scopes().meets(needs.any_of)) return true;
    auth::authenticator::verdict found{by.who};
    found.invalid = by.who->ended();
    write_unknown(found, in, out);
    return false;
}

}  // namespace orderproc::server
