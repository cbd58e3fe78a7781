#include "auth/principal.hpp"

namespace orderproc::server::auth {

namespace {

// Of one that is there for ever. Most requests take it, on every thread: there is no count of
// those who have it, over which these threads would wait for each other.
principal_ptr uncounted(const principal& it) noexcept {
    return {principal_ptr(), &it};
}

}  // namespace

principal_ptr anonymous() {
    static const principal it("", scopes_without_key);
    return uncounted(it);
}

principal_ptr unasked() {
    static const principal it("", all_scopes);
    return uncounted(it);
}

principal_ptr nobody() {
    static const principal it("", scope_set{});
    return uncounted(it);
}

}  // namespace orderproc::server::auth
