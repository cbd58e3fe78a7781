#ifndef ORDERPROC_SERVER_API_WEBHOOK_DESK_HPP
#define ORDERPROC_SERVER_API_WEBHOOK_DESK_HPP

// What the handlers of webhook endpoints need beside the storage.

#include "api/webhook_body.hpp"

#include <orderproc/webhook_store.hpp>

#include <functional>
#include <string>

namespace orderproc::server {

struct webhook_desk {
    webhook_keys keys;
    url_judge admits;               // none: any URL
    std::function<void()> changed;  // this process' sender looks at once; none: there is none
    // Calls done when nothing more is sent to an endpoint that was removed, or with
    // errc::unavailable when that takes too long. None: nobody waits for it.
    std::function<void(std::string id, std::function<void(result<void>)> done)> silence;
};

}  // namespace orderproc::server

#endif
