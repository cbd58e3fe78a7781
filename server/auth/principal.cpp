#include "auth/principal.hpp"

namespace orderproc::server::auth {

principal_ptr anonymous() {
    static const principal_ptr it = std::make_shared<principal>("", scopes_without_key);
    return it;
}

principal_ptr unasked() {
    static const principal_ptr it = std::make_shared<principal>("", all_scopes);
    return it;
}

principal_ptr nobody() {
    static const principal_ptr it = std::make_shared<principal>("", scope_set());
    return it;
}

}  // namespace orderproc::server::auth
