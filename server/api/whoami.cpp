// Who asks, as the server sees it.

#include "api/api.hpp"
#include "api/json_writer.hpp"
#include "api/representation.hpp"

namespace orderproc::server {

bool api::get_whoami(const call& it, http::response& out, pending& todo) {
    if (!expect_no_query(it.in, out)) return false;
    const auth::principal& who = *todo.by.who;
    out.add("Cache-Control", "no-store");
    json_writer to(out.body);
    to.open('{').name("principal").text_or_null(who.name());
    to.name("scopes").open('[');
    for (const auth::scope one : auth::scopes_in(who.scopes())) to.text(auth::to_string(one));
    to.close(']');
    to.name("user").text_or_null(who.user().value_or(""));
    to.name("tenant").text_or_null(who.tenant().value_or(""));
    to.name("expires_at").time_or_null(who.expires_at());
    to.name("version").text(ORDERPROC_VERSION);
    to.name("instance").text(instance_).close('}');
    return false;
}

}  // namespace orderproc::server
