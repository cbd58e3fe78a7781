#ifndef ORDERPROC_SERVER_CLI_WEBHOOK_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_WEBHOOK_SETTINGS_HPP

// Whether a server sends webhooks, and where to.

#include "api/webhook_desk.hpp"
#include "cli/settings.hpp"

#include <orderproc/engine.hpp>

#ifdef ORDERPROC_WITH_WEBHOOKS
#include "http/stream_maker.hpp"
#include "webhooks/delivery_client.hpp"
#include "webhooks/removal_watch.hpp"

#include <orderproc/reader.hpp>
#include <orderproc/webhooks.hpp>
#endif

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orderproc::server {

class observation;

struct webhook_settings {
    std::string keys_file;
    bool insecure_secrets = false;
    std::vector<std::string> allow;
    bool allow_http = false;
    std::vector<std::uint16_t> ports;
    std::string ca;

    // None if this build sends none.
    void add_to(CLI::App& command);
#ifdef ORDERPROC_WITH_WEBHOOKS
    bool wanted() const noexcept {
        return !keys_file.empty() || insecure_secrets;
    }
    // errc::invalid_argument, naming the option: a file that others can read, or that has no keys.
    result<webhook_keys> keys() const;
    result<guard_policy> policy() const;
#endif
};

// The sender of a server, and what its handlers need.
class running_webhooks {
public:
    // nullptr: they are not wanted. errc::invalid_argument: an option is wrong, or the storage has
    // endpoints whose secrets the keys do not open. Secrets are encrypted with the first key then.
    // All outlive it.
    static result<std::unique_ptr<running_webhooks>> start(storage& of, engine& orders,
                                                           const webhook_settings& settings,
                                                           const std::string& event_source,
                                                           observation& shown);

#ifdef ORDERPROC_WITH_WEBHOOKS
    webhook_desk* desk() noexcept {
        return &desk_;
    }
    void stop(std::chrono::milliseconds drain) {
        removals_.stop();
        sender_->stop(drain);
    }

private:
    running_webhooks(storage& of, engine& orders)
        : reads_(of, 1), desk_reads_(of, 1), removals_(orders, desk_reads_) {}

    reader reads_;
    reader desk_reads_;
    std::unique_ptr<http::client_stream_maker> secure_;
    std::optional<delivery_client> client_;
    std::optional<webhook_sender> sender_;
    removal_watch removals_;
    webhook_desk desk_;
#else
    webhook_desk* desk() noexcept {
        return nullptr;
    }
    void stop(std::chrono::milliseconds) {}
#endif
};

}  // namespace orderproc::server

#endif
