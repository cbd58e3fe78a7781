#include "api/api.hpp"
#include "api/api_service.hpp"
#include "api/cors.hpp"
#include "cli/access.hpp"
#include "cli/broker_settings.hpp"
#include "cli/exposure_settings.hpp"
#include "cli/file_limit.hpp"
#include "cli/housekeeping.hpp"
#include "cli/jwt_settings.hpp"
#include "cli/limit_settings.hpp"
#include "cli/live_feeds.hpp"
#include "cli/model_migration.hpp"
#include "cli/observation.hpp"
#include "cli/process.hpp"
#include "cli/purger.hpp"
#include "cli/redaction_follower.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/signals.hpp"
#include "cli/storage_secret.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"
#include "cli/tls_settings.hpp"
#include "cli/values.hpp"
#include "cli/webhook_settings.hpp"
#include "cli/worker_settings.hpp"
#include "http/server.hpp"
#include "observe/storage_probe.hpp"
#include "text/duration.hpp"

#include <orderproc/cloud_event.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;

// For confirms. What is not confirmed is published again, by whoever leads next.
constexpr std::chrono::seconds relay_drain(2);
// For answers of webhook endpoints. What is not answered is sent again.
constexpr std::chrono::seconds webhooks_drain(5);

struct serve_settings {
    std::string listen = "127.0.0.1:8000";
    storage_settings storage;
    model_settings model;
    bool no_worker = false;
    bool no_dashboard = false;
    exposure_settings exposed;
    tls_settings tls;
    outgoing_settings outgoing;
    jwt_settings tokens;
    std::size_t threads = 1;
    std::string items;
    std::vector<std::string> cors_origins;
    std::vector<std::string> cors_fields;
    std::vector<std::string> allowed_hosts;
    std::string shutdown_delay = "0";
    std::string max_publish_lag = "2s";
    std::string event_source{default_event_source};
    std::string redaction_log;
    std::string retain;
    worker_settings worker;
    broker_settings messages;
    webhook_settings webhooks;
    limit_settings limits;
    observation_settings shown;

    // Whether others may reach what it listens on. Simulated work is for trying out.
    result<void> admitted() const {
        const bool chosen = no_worker || !worker.processors.empty();
        auto ok = exposed.admits("--listen", listen, tls.secured(), "--processor (or --no-worker)",
                                 chosen);
        if (!ok || shown.admin_listen.empty()) return ok;
        return exposed.admits("--admin-listen", shown.admin_listen, tls.secured());
    }
    // --retain, if it is given. errc::not_supported: the storage cannot purge.
    result<retention> kept_in(const orderproc::storage& orders) const {
        if (retain.empty()) return retention();
        const auto age = of_option("--retain", parse_duration(retain));
        if (!age) return age.error();
        if (*age < purge_age_min()) {
            return failure{errc::invalid_argument,
                           "--retain: at least 72h, for which idempotency keys are kept"};
        }
        const auto can =
            require(orders.info(), {capability::purge, capability::records}, "--retain");
        if (!can) return can.error();
        return retention{*age};
    }
    // The same as admitted(), once the keys were read.
    result<void> admitted_with(bool has_keys) const {
        auto ok = exposed.admits_strangers("--listen", listen, has_keys);
        if (!ok || shown.admin_listen.empty()) return ok;
        return exposed.admits_strangers("--admin-listen", shown.admin_listen, has_keys);
    }
};

std::string url_of(const char* scheme, const std::string& host, std::uint16_t port) {
    const bool six = host.find(':') != std::string::npos;
    return scheme + (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

result<http::server_options> options_of(const serve_settings& settings) {
    auto limited = settings.limits.options();
    if (!limited) return limited;
    const auto at = of_option("--listen", parse_endpoint(settings.listen));
    if (!at) return at.error();
    http::server_options& out = *limited;
    out.address = at->host;
    out.port = at->port;
    out.threads = settings.threads;
    out.admits.sites = {settings.cors_origins, at->loopback(), settings.allowed_hosts};
    return limited;
}

struct durations {
    milliseconds drain{0};
    milliseconds shutdown_delay{0};
    milliseconds max_publish_lag{0};
    retry_policy retries;
    retention kept;
};

void drain(http::server& listening, running_workers* works, running_webhooks* hooks,
           running_relay* relays, const durations& times) {
    std::this_thread::sleep_for(times.shutdown_delay);
    listening.stop(times.drain);  // returns at once: both drain at the same time
    if (works) works->stop(times.drain);
    if (hooks) hooks->stop(std::min<milliseconds>(times.drain, webhooks_drain));
    listening.join();
    if (relays) relays->stop(std::min<milliseconds>(times.drain, relay_drain));
}

// What the process is busy with.
void show_load(const engine& writes, std::size_t queue_max, const observed_service& requests,
               const live_feeds& feeds, exposed_values& in) {
    in.gauge("orderproc_engine_queue", "Commands that wait to be committed",
             [&writes] { return static_cast<double>(writes.queued()); });
    in.gauge("orderproc_engine_queue_max", "Commands that may wait to be committed",
             [queue_max] { return static_cast<double>(queue_max); });
    in.gauge("orderproc_http_connections", "Open connections of clients",
             [&requests] { return static_cast<double>(requests.connections()); });
    in.gauge("orderproc_http_requests_in_flight", "Requests that came and are not answered yet",
             [&requests] { return static_cast<double>(requests.in_flight()); });
    in.gauge("orderproc_sse_clients", "Who listens to the live feed",
             [&feeds] { return static_cast<double>(feeds.subscriptions()); });
}

// What the handlers are made with, beside what is shown.
api_parts completed(api_parts parts, const serve_settings& settings, const durations& times,
                    access_control& access, std::optional<item_gate>& gate, live_feeds& feeds) {
    parts.event_source = settings.event_source;
    parts.dashboard = !settings.no_dashboard;
    parts.items = gate ? &*gate : nullptr;
    parts.attempts = access.attempts();
    parts.retained = times.kept.age;
    feeds.add_to(parts);
    return parts;
}

// None, if no pages of other sites are served.
std::unique_ptr<http::service> cors_of(const serve_settings& settings, http::service& behind) {
    if (settings.cors_origins.empty()) return nullptr;
    return std::make_unique<cors_service>(behind, settings.cors_origins, settings.cors_fields);
}

engine_options engine_options_of(const serve_settings& settings, const shop_model& model) {
    engine_options out;
    out.watch_others = true;
    out.queue_max = settings.limits.queue;
    out.stored_model = record_of(model);
    return out;
}

read_pool_options read_options_of(const serve_settings& settings) {
    read_pool_options out;
    out.threads = settings.threads + 1;
    out.load_thread = false;  // the servers' threads do it
    return out;
}

// None, if somebody else works.
result<std::unique_ptr<running_workers>> start_workers(const serve_settings& settings,
                                                       engine& writes, outgoing_calls& calls,
                                                       access_control& access, broker* messages) {
    if (settings.no_worker) return std::unique_ptr<running_workers>();
    return running_workers::start(writes, settings.worker, calls, access.attempts(), messages,
                                  settings.messages.names());
}

int serve_on(storage& orders, const shop_model& model, const serve_settings& settings,
             http::server_options options, const durations& times, stop_signals& signals) {
    observation shown(settings.shown, model.statuses);
    shown.introduce(orders);
    auto messages = settings.messages.open();
    if (!messages) return fail(messages.error());
    auto calls = outgoing_calls::open(settings.outgoing);
    if (!calls) return fail(calls.error());
    auto items = of_option("--items", make_named_items(settings.items, shown.watch(), *calls));
    if (!items) return fail(items.error());

    auto access = access_control::start(orders, settings.exposed, settings.tls, settings.tokens,
                                        options.admits.trusted_proxies, shown);
    if (!access) return fail(access.error());
    if (auto ok = settings.admitted_with((*access)->has_keys()); !ok) return fail(ok.error());

    auto cursor_secret = load_storage_secret(orders, "cursors");
    if (!cursor_secret) return fail(cursor_secret.error());

    engine writes(orders, model.statuses, model.orders, system_runtime(shown.watch()),
                  engine_options_of(settings, model));
    const housekeeping chores(orders, writes, (*access)->keys(), times.kept);
    storage_probe probe(orders, writes, shown.state(), shown.probe_options());
    // Connections for those that read on threads of their own, and the pool for all that must not
    // block. What reads or waits for reads is declared behind them, and so is gone before them.
    reader relay_reads(orders, 1);
    read_pool reads(orders, read_options_of(settings));
    live_feeds feeds(orders, writes, settings.event_source);
    const auto redactions = redaction_follower::start(orders, writes, settings.redaction_log);
    if (!redactions) return fail(redactions.error());
    std::optional<item_gate> gate;
    if (*items) gate.emplace(**items, writes.runtime());
    auto hooks =
        running_webhooks::start(orders, writes, settings.webhooks, settings.event_source, shown);
    if (!hooks) return fail(hooks.error());
    api_parts parts = shown.parts((*access)->judge());
    if (!messages->get()) parts.broker = nullptr;
    parts.storage = orders.info();
    parts.cursor_secret = std::move(*cursor_secret);
    parts.limits = options.limits;
    parts.retry = times.retries;
    parts.webhooks = *hooks ? (*hooks)->desk() : nullptr;
    api handlers(writes, reads,
                 completed(std::move(parts), settings, times, **access, gate, feeds));
    api_service service(handlers);
    const auto cors = cors_of(settings, service);
    observed_service observed(cors ? *cors : service, shown.request_observers());
    show_load(writes, settings.limits.queue, observed, feeds, shown.values());

    auto works = start_workers(settings, writes, *calls, **access, messages->get());
    if (!works) return fail(works.error());
    auto relays = running_relay::start(
        writes, relay_reads, messages->get(),
        {settings.messages.names(), settings.event_source, times.max_publish_lag});
    if (!relays) return fail(relays.error());
    auto admin = admin_server::open(settings.shown, shown, writes, reads, **access);
    if (!admin) return fail(admin.error());
    options.admits.overloaded = settings.limits.shedding(writes);
    auto listening = http::server::open(options, observed, (*access)->over());
    if (!listening) return fail(listening.error());
    say("orderproc listens on " + url_of(settings.tls.https() ? "https://" : "http://",
                                         options.address, (*listening)->port()));

    signals.wait();
    shown.state().stopping();  // whoever sends us requests is to find out, before we go
    drain(**listening, works->get(), hooks->get(), relays->get(), times);
    return 0;
}

// Which pages and names there are.
result<void> check_sites(const serve_settings& settings) {
    for (const std::string& it : settings.cors_origins) {
        if (is_cors_origin(it)) continue;
        return failure{
            errc::invalid_argument,
            "--cors-origin: \"" + it + "\" is not an origin such as https://shop.example, nor *"};
    }
    for (const std::string& it : settings.cors_fields) {
        if (is_cors_field(it)) continue;
        return failure{errc::invalid_argument,
                       "--cors-header: \"" + it + "\" is not the name of a header field"};
    }
    for (const std::string& it : settings.allowed_hosts) {
        if (http::is_host_name(it)) continue;
        return failure{errc::invalid_argument,
                       "--allowed-host: \"" + it +
                           "\" is not a host name such as orders.example (without a port), nor *"};
    }
    return {};
}

int serve(const serve_settings& settings) {
    stop_signals signals;
    refuse_new_privileges();
    const auto drain = duration_option("--drain", settings.worker.drain);
    if (!drain) return fail(drain.error());
    const auto shutdown_delay = duration_option("--shutdown-delay", settings.shutdown_delay);
    if (!shutdown_delay) return fail(shutdown_delay.error());
    const auto max_publish_lag =
        duration_option("--broker-max-publish-lag", settings.max_publish_lag);
    if (!max_publish_lag) return fail(max_publish_lag.error());
    const auto retries = settings.worker.retries();
    if (!retries) return fail(retries.error());
    if (const auto ok = settings.admitted(); !ok) return fail(ok.error());
    if (auto ok = check_sites(settings); !ok) return fail(ok.error());
    if (!is_event_source(settings.event_source)) {
        return fail({errc::invalid_argument,
                     "--event-source: \"" + settings.event_source +
                         "\" is not a URI-reference (RFC 3986) of at most " +
                         std::to_string(event_source_size_max) + " bytes, such as /shop"});
    }
    auto model = settings.model.read();
    if (!model) return fail(model.error());
    auto options = options_of(settings);
    if (!options) return fail(options.error());
    if (auto raised = raise_file_limit(options->connections_max); !raised) {
        return fail(raised.error());
    }
    const auto lease = settings.worker.parsed_lease();
    if (!lease) return fail(lease.error());
    auto orders = settings.storage.open(*lease);
    if (!orders) return fail(orders.error());
    constexpr capability_set asked_for{capability::id_lists, capability::due_lists,
                                       capability::totals, capability::positions};
    if (auto can = require((*orders)->info(), asked_for, "orderproc serve"); !can) {
        return fail(can.error());
    }
    const auto kept = settings.kept_in(**orders);
    if (!kept) return fail(kept.error());
    const auto used = open_model(**orders, std::move(*model));
    if (!used) return fail(used.error());
    print_unfinished_migration(**orders);
    const int code =
        serve_on(**orders, *used, settings, std::move(*options),
                 {*drain, *shutdown_delay, *max_publish_lag, *retries, *kept}, signals);
    return close_storage(**orders, code);
}

}  // namespace

void add_serve(command_line to) {
    auto* command = to.app.add_subcommand("serve", "The HTTP API and, with it, a worker");
    const auto it = std::make_shared<serve_settings>();
    add_setting(*command, "listen", it->listen, "ADDRESS:PORT; port 0 takes any that is free");
    it->storage.add_to(*command, "sqlite:PATH, postgresql://… or memory:");
    it->storage.add_resume_to(*command);
    it->model.add_to(*command, model_option_help);
    add_setting(*command, "no-worker", it->no_worker, "Leave the orders to `orderproc work`");
    add_setting(*command, "no-dashboard", it->no_dashboard,
                "Leave out the operator's page at /, which leads to /docs then");
    add_setting(*command, "items", it->items,
                "Which items may be ordered: file:PATH or https://HOST/PATH; empty: all");
    add_setting(*command, "cors-origin", it->cors_origins,
                "Whose pages may ask: https://shop.example; may be repeated; * is everybody")
        ->delimiter(',')
        ->allow_extra_args(false);
    add_setting(*command, "cors-header", it->cors_fields,
                "Another field that these pages may send, such as X-Tenant; may be repeated")
        ->delimiter(',')
        ->allow_extra_args(false);
    add_setting(*command, "allowed-host", it->allowed_hosts,
                "Another name by which a server on a loopback address may be called, such as "
                "orders.example; may be repeated; * is any")
        ->delimiter(',')
        ->allow_extra_args(false);
    it->exposed.add_to(*command);
    it->tls.add_to(*command);
    it->tokens.add_to(*command);
    add_setting(*command, "threads", it->threads, "Number of HTTP threads")
        ->check(CLI::Range(1, 64));
    add_setting(*command, "shutdown-delay", it->shutdown_delay,
                "Time from SIGTERM, when readyz turns 503, until nothing more is accepted");
    it->limits.add_to(*command);
    it->worker.add_to(*command);
    it->outgoing.add_to(*command);
    it->messages.add_to(*command);
    add_setting(
        *command, "broker-max-publish-lag", it->max_publish_lag,
        "How late messages may get while changes wait to be committed; 0: they do not wait");
    add_setting(*command, "event-source", it->event_source,
                "What events say they come from (CloudEvents source): a URI-reference");
    add_setting(*command, "retain", it->retain,
                "Purge orders that have been settled for so long, such as 90d; never, if left out");
    add_setting(*command, "redaction-log", it->redaction_log,
                "A file outside of the storage to which redactions are added, for restores");
    it->webhooks.add_to(*command);
    it->shown.add_to(*command);
    command->callback([&run = to.run, it] {
        it->messages.command_line_read();
        run = [it] { return serve(*it); };
    });
}

}  // namespace orderproc::server
