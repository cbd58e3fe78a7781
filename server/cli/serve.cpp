#include "api/api.hpp"
#include "api/api_service.hpp"
#include "cli/file_limit.hpp"
#include "cli/settings.hpp"
#include "cli/signals.hpp"
#include "cli/trouble_log.hpp"
#include "cli/values.hpp"
#include "cli/worker_settings.hpp"
#include "http/server.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;

struct serve_settings {
    std::string listen = "127.0.0.1:8000";
    std::string storage = "sqlite:orders.db";
    bool no_worker = false;
    bool insecure_http = false;
    bool insecure_no_auth = false;
    std::size_t threads = 1;
    std::size_t connections = http::server_options{}.connections_max;
    std::size_t connections_per_address = http::server_options{}.connections_per_address_max;
    std::string items;
    worker_settings worker;

    bool admits_everything() const {
        return insecure_http && insecure_no_auth &&
               (no_worker || worker.processor_option->count() > 0);
    }
};

std::string url_of(const endpoint& at, std::uint16_t port) {
    const bool six = at.host.find(':') != std::string::npos;
    return "http://" + (six ? "[" + at.host + "]" : at.host) + ":" + std::to_string(port);
}

int serve_on(const serve_settings& settings, const endpoint& at, milliseconds drain,
             stop_signals& signals) {
    auto orders = open_storage(settings.storage);
    if (!orders) return fail(orders.error());
    trouble_log log;
    engine_options how;
    how.watch_others = true;
    engine writes(**orders, status_machine::standard(), system_runtime(log), how);
    reader reads(**orders, settings.threads);
    auto items = make_named_items(settings.items, log);
    if (!items) return fail(items.error());
    std::optional<item_gate> gate;
    if (*items) gate.emplace(**items, writes.with());
    api handlers(writes, reads, gate ? &*gate : nullptr);
    api_service service(handlers);

    std::unique_ptr<running_worker> works;
    if (!settings.no_worker) {
        auto started = running_worker::start(writes, settings.worker);
        if (!started) return fail(started.error());
        works = std::move(*started);
    }
    http::server_options options;
    options.address = at.host;
    options.port = at.port;
    options.threads = settings.threads;
    options.connections_max = settings.connections;
    options.connections_per_address_max = settings.connections_per_address;
    options.limits.large_path = batch_path;
    auto listening = http::server::open(options, service);
    if (!listening) return fail(listening.error());
    std::printf("orderproc listens on %s\n", url_of(at, (*listening)->port()).c_str());
    std::fflush(stdout);

    signals.wait();
    (*listening)->stop(drain);  // returns at once: both drain at the same time
    if (works) works->stop(drain);
    (*listening)->join();
    return 0;
}

int serve(const serve_settings& settings) {
    stop_signals signals;
    const auto at = parse_endpoint(settings.listen);
    if (!at) return fail(at.error());
    const auto drain = parse_duration(settings.worker.drain);
    if (!drain) return fail(drain.error());
    if (!at->loopback() && !settings.admits_everything()) {
        return fail(
            {errc::invalid_argument, "listening on " + at->host +
                                         " opens it to others: that needs --insecure-http, "
                                         "--insecure-no-auth, and --processor (or --no-worker)"});
    }
    if (auto raised = raise_file_limit(settings.connections); !raised) return fail(raised.error());
    return serve_on(settings, *at, *drain, signals);
}

}  // namespace

void add_serve(command_line to) {
    auto* command = to.app.add_subcommand("serve", "The HTTP API and, with it, a worker");
    const auto it = std::make_shared<serve_settings>();
    add_setting(*command, "listen", it->listen, "ADDRESS:PORT; port 0 takes any that is free");
    add_setting(*command, "storage", it->storage, "sqlite:PATH or memory:");
    add_setting(*command, "no-worker", it->no_worker, "Leave the orders to `orderproc work`");
    add_setting(*command, "items", it->items,
                "Which items may be ordered: file:PATH or http://HOST/PATH; empty: all");
    add_setting(*command, "insecure-http", it->insecure_http,
                "Listen beyond this machine without TLS");
    add_setting(*command, "insecure-no-auth", it->insecure_no_auth,
                "Listen beyond this machine without asking who it is");
    add_setting(*command, "threads", it->threads, "That speak HTTP")->check(CLI::Range(1, 64));
    add_setting(*command, "connections", it->connections, "At a time")
        ->check(CLI::Range(1, 1'000'000));
    add_setting(*command, "connections-per-address", it->connections_per_address,
                "At a time from one address")
        ->check(CLI::Range(1, 1'000'000));
    it->worker.add_to(*command);
    command->callback([&run = to.run, it] { run = [it] { return serve(*it); }; });
}

}  // namespace orderproc::server
