#include "cli/observation.hpp"

#include "cli/process.hpp"
#include "cli/refusal.hpp"
#include "observe/facts_metrics.hpp"
#include "observe/openmetrics.hpp"
#include "observe/process_metrics.hpp"

#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace orderproc::server {

namespace {

// Scrapers and probes are few.
constexpr std::size_t admin_connections = 64;

log_level level_of(const std::string& text) {
    for (const log_level it : {log_level::debug, log_level::warning, log_level::error}) {
        if (name_of(it) == text) return it;
    }
    return log_level::info;
}

}  // namespace

void observation_settings::add_to(CLI::App& command) {
    add_setting(command, "log", log, "How lines look on standard error")
        ->check(CLI::IsMember({"text", "json"}));
    add_setting(command, "log-level", log_level, "The least that is logged")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
    add_setting(command, "admin-listen", admin_listen,
                "ADDRESS:PORT for metrics and health alone; empty: none");
}

observation::observation(const observation_settings& settings, const status_machine& machine)
    : machine_(machine),
      least_(level_of(settings.log_level)),
      lines_(settings.log == "json" ? log_format::json : log_format::text, STDERR_FILENO),
      sink_(lines_.sink()),
      log_(sink_, least_),
      metrics_(registry_, machine),
      health_(system_runtime().time),
      sampler_(machine, system_runtime().time, history_),
      webhook_lag_(system_runtime().time),
      all_({&log_, &metrics_, &health_, &webhook_lag_}),
      request_metrics_(registry_),
      request_log_(sink_) {
    ::prometheus::BuildGauge()
        .Name("orderproc_build_info")
        .Help("Which version this is")
        .Register(registry_)
        .Add({{"version", ORDERPROC_VERSION}})
        .Set(1);
    auto& certificates = ::prometheus::BuildCounter()
                             .Name("orderproc_certificate_reloads_total")
                             .Help("Certificates that came to replace one, by what became of them")
                             .Register(registry_);
    certificates_taken_ = &certificates.Add({{"result", "taken"}});
    certificates_not_taken_ = &certificates.Add({{"result", "not_taken"}});
}

void observation::count_certificate(bool taken) noexcept {
    (taken ? certificates_taken_ : certificates_not_taken_)->Increment();
}

void observation::introduce(const storage& opened) {
    storage_name_ = opened.info().name;
    for (const std::string& it : opened.info().remarks) {
        const std::array<log_field, 1> fields{{{"text", it}}};
        log({log_level::warning, "storage_remark", fields});
    }
    if (runs_as_root()) log({log_level::warning, "running_as_root", {}});
}

void observation::log(const log_record& what) const {
    if (what.level >= least_) sink_(what);
}

void observation::show_webhook_lag() {
    values_.gauge("orderproc_webhook_lag_seconds",
                  "Age of the oldest change of which an endpoint was not told",
                  [this] { return std::chrono::duration<double>(webhook_lag_.longest()).count(); });
}

std::vector<::prometheus::MetricFamily> observation::collect(const stored_facts* stored) const {
    auto out = registry_.Collect();
    const auto add = [&out](std::vector<::prometheus::MetricFamily> more) {
        std::move(more.begin(), more.end(), std::back_inserter(out));
    };
    add(values_.collect());
    add(process_metrics());
    add(storage_file_metrics(storage_name_));
    if (stored) {
        const timestamp now = system_runtime().time.now();
        add(to_metrics(stored->counted, machine_, now));
        add(facts_metrics(*stored, now));
    }
    return out;
}

storage_probe_options observation::probe_options() {
    storage_probe_options out;
    out.counted = [this](repository_reader& from, const statistics& counted) {
        sampler_.look(from, counted);
    };
    return out;
}

api_parts observation::parts(auth::authenticator& judge) {
    api_parts out;
    out.auth = &judge;
    out.unhealthy = [this] { return health_.unhealthy(); };
    out.unready = [this] { return health_.unready(); };
    out.degraded = [this] { return health_.degraded(); };
    out.history = &history_;
    out.broker = [this] { return health_.connections(); };
    out.feeds = [this] { return health_.feeds(); };
    out.exposition = [this](bool openmetrics, const stored_facts* stored) {
        const auto families = collect(stored);
        return openmetrics ? to_openmetrics(families)
                           : ::prometheus::TextSerializer().Serialize(families);
    };
    return out;
}

std::vector<request_observer*> observation::request_observers() {
    std::vector<request_observer*> out{&request_metrics_};
    if (least_ == log_level::debug) out.push_back(&request_log_);
    return out;
}

admin_server::admin_server(observation& shown, engine& orders, read_pool& reads,
                           auth::authenticator& judge)
    : handlers_(orders, reads,
                [&] {
                    api_parts parts = shown.parts(judge);
                    parts.operations_only = true;
                    return parts;
                }()),
      service_(handlers_) {}

result<std::unique_ptr<admin_server>> admin_server::open(const observation_settings& settings,
                                                         observation& shown, engine& orders,
                                                         read_pool& reads, access_control& access) {
    std::unique_ptr<admin_server> out;
    if (settings.admin_listen.empty()) return out;
    const auto at = of_option("--admin-listen", parse_endpoint(settings.admin_listen));
    if (!at) return at.error();
    out.reset(new admin_server(shown, orders, reads, access.judge()));
    http::server_options options;
    options.address = at->host;
    options.port = at->port;
    options.connections_max = admin_connections;
    options.admits.sites = {{}, at->loopback(), {}};
    auto listening = http::server::open(options, out->service_, access.over());
    if (!listening) return std::move(listening).error();
    out->listening_ = std::move(*listening);
    const std::string port = std::to_string(out->listening_->port());
    const std::array<log_field, 2> fields{{{"address", at->host}, {"port", port}}};
    shown.log({log_level::info, "admin_listens", fields});
    return out;
}

}  // namespace orderproc::server
