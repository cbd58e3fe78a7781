#ifndef ORDERPROC_SERVER_API_API_PARTS_HPP
#define ORDERPROC_SERVER_API_API_PARTS_HPP

#include "api/checks.hpp"
#include "api/health_reason.hpp"
#include "api/process_state.hpp"
#include "api/webhook_desk.hpp"
#include "attempts/attempt_tokens.hpp"
#include "auth/authenticator.hpp"
#include "http/options.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/feed.hpp>
#include <orderproc/items.hpp>
#include <orderproc/queries.hpp>
#include <orderproc/repository.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace orderproc::server {

class stats_history;

// What there is beside orders. All of it outlives the api.
struct api_parts {
    item_gate* items = nullptr;  // none: all items will do
    // Prometheus' text, or OpenMetrics'; none: metrics are JSON alone. Without facts while the
    // storage cannot be read. They have no dead letters.
    std::function<std::string(bool openmetrics, const stored_facts* stored)> exposition;
    // Reasons, told at once: these must not ask the storage. None: there never is one.
    std::function<std::vector<health_reason>()> unhealthy;
    std::function<std::vector<health_reason>()> unready;
    std::function<std::vector<health_reason>()> degraded;  // ready, but not as it should be
    live_feed* feed = nullptr;                             // event_feed(); none: no streams
    live_feed* bound_feed = nullptr;      // bound_event_feed(), for callers that are bound
    auth::authenticator* auth = nullptr;  // none: nobody is asked who it is
    std::string event_source{default_event_source};  // of the journal's entries
    http::request_limits limits;                     // to be told of
    const attempt_tokens* attempts = nullptr;        // none: nobody can answer an attempt
    retry_policy retry = {};                         // of attempts that are answered
    webhook_desk* webhooks = nullptr;                // none: there are no webhook endpoints
    bool operations_only = false;                    // metrics and health, no orders
    bool dashboard = true;                           // the operator's page at /, if it was built
    // For cursors of bound callers, see cursor_seal; the same in all servers of a storage. Empty:
    // one is made, and those cursors are good as long as the api.
    std::string cursor_secret;
    // How long what was read of dead letters, workers and counts is shown to others who ask.
    std::chrono::milliseconds facts_shared_for{5000};
    // How old orders get before this process purges them; none: it purges nothing.
    std::optional<std::chrono::milliseconds> retained = {};
    // Samples of the last hour; none: there are none.
    const stats_history* history = nullptr;
    // Told at once, as the reasons are. None: this process has no broker; no feeds.
    std::function<std::vector<broker_connection>()> broker;
    std::function<std::vector<feed_progress>()> feeds;
    storage_info storage = {};  // to be told of
    // Of this process: another one at each start. Empty: one is made.
    std::string instance;
};

}  // namespace orderproc::server

#endif
