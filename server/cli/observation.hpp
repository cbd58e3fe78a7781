#ifndef ORDERPROC_SERVER_CLI_OBSERVATION_HPP
#define ORDERPROC_SERVER_CLI_OBSERVATION_HPP

// What `serve` and `work` show of themselves: log, metrics, health.

#include "api/api.hpp"
#include "api/api_service.hpp"
#include "cli/access.hpp"
#include "cli/settings.hpp"
#include "cli/values.hpp"
#include "http/server.hpp"
#include "observe/exposed_values.hpp"
#include "observe/health.hpp"
#include "observe/log_lines.hpp"
#include "observe/request_watch.hpp"
#include "observe/stats_sampler.hpp"
#include "observe/storage_probe.hpp"
#include "observe/webhook_lag.hpp"

#include <orderproc/log.hpp>
#include <orderproc/prometheus.hpp>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orderproc::server {

struct observation_settings {
    std::string log = "text";
    std::string log_level = "info";
    std::string admin_listen;

    void add_to(CLI::App& command);
};

class observation {
public:
    observation(const observation_settings& settings, const status_machine& machine);

    observer& watch() noexcept { return all_; }
    health& state() noexcept { return health_; }
    void log(const log_record& what) const;  // unless its level is below the least that is logged

    // Logs what opening the storage found, and that we run as root; from here on the storage's
    // files, if it has any, are shown.
    void introduce(const storage& opened);
    // What else is to be shown; to be added before a server listens.
    exposed_values& values() noexcept { return values_; }
    // How late this process tells webhook endpoints.
    void show_webhook_lag();
    // A certificate was replaced, and was taken or not. Thread-safe.
    void count_certificate(bool taken) noexcept;
    log_sink sink() const {
        return [this](const log_record& what) { log(what); };
    }
    // For the probe of the storage, whose looks are also sampled for GET /stats. This outlives it.
    storage_probe_options probe_options();
    // What both of the addresses show; judge outlives it.
    api_parts parts(auth::authenticator& judge);
    std::vector<request_observer*> request_observers();

private:
    std::vector<::prometheus::MetricFamily> collect(const stored_facts* stored) const;

    const status_machine& machine_;
    const log_level least_;
    line_log lines_;  // outlives all that logs
    const log_sink sink_;
    ::prometheus::Registry registry_;
    log_observer log_;
    prometheus_observer metrics_;
    health health_;
    stats_history history_;
    stats_sampler sampler_;
    webhook_lag webhook_lag_;
    observers all_;
    request_metrics request_metrics_;
    request_log request_log_;
    exposed_values values_;
    std::string storage_name_;
    ::prometheus::Counter* certificates_taken_ = nullptr;
    ::prometheus::Counter* certificates_not_taken_ = nullptr;
};

// Metrics and health at an address of their own.
class admin_server {
public:
    // None if the settings have no address. All others outlive it.
    static result<std::unique_ptr<admin_server>> open(const observation_settings& settings,
                                                      observation& shown, engine& orders,
                                                      read_pool& reads, access_control& access);

private:
    admin_server(observation& shown, engine& orders, read_pool& reads, auth::authenticator& judge);
    api handlers_;
    api_service service_;
    std::unique_ptr<http::server> listening_;
};

}  // namespace orderproc::server

#endif
