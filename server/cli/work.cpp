#include "cli/access.hpp"
#include "cli/broker_settings.hpp"
#include "cli/exposure_settings.hpp"
#include "cli/housekeeping.hpp"
#include "cli/jwt_settings.hpp"
#include "cli/model_migration.hpp"
#include "cli/observation.hpp"
#include "cli/process.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/signals.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"
#include "cli/tls_settings.hpp"
#include "cli/values.hpp"
#include "cli/worker_settings.hpp"
#include "observe/storage_probe.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace orderproc::server {

namespace {

struct work_settings {
    storage_settings storage;
    model_settings model;
    worker_settings worker;
    broker_settings messages;
    observation_settings shown;
    exposure_settings exposed;
    tls_settings tls;
    outgoing_settings outgoing;
    jwt_settings tokens;
};

int work_on(storage& orders, const shop_model& model, const work_settings& settings,
            std::chrono::milliseconds drain, stop_signals& signals) {
    auto messages = settings.messages.open();
    if (!messages) return fail(messages.error());
    observation shown(settings.shown, model.statuses);
    shown.introduce(orders);
    const std::string& admin_listen = settings.shown.admin_listen;
    auto access =
        access_control::start(orders, settings.exposed, settings.tls, settings.tokens, {}, shown);
    if (!access) return fail(access.error());
    if (!admin_listen.empty()) {
        const auto ok = settings.exposed.admits_strangers("--admin-listen", admin_listen,
                                                          (*access)->has_keys());
        if (!ok) return fail(ok.error());
    }
    engine_options how;
    how.watch_others = !*messages;  // they tell of what others commit
    how.stored_model = record_of(model);
    engine writes(orders, model.statuses, model.orders, system_runtime(shown.watch()), how);
    const housekeeping chores(orders, writes, (*access)->keys());
    std::optional<storage_probe> probe;  // for those who ask at the admin's address
    if (!admin_listen.empty()) probe.emplace(orders, writes, shown.state());
    read_pool_options read_on;
    read_on.threads = 1;
    read_pool reads(orders, read_on);
    auto admin = admin_server::open(settings.shown, shown, writes, reads, **access);
    if (!admin) return fail(admin.error());
    auto calls = outgoing_calls::open(settings.outgoing);
    if (!calls) return fail(calls.error());
    auto worker = running_workers::start(writes, settings.worker, *calls, (*access)->attempts(),
                                         messages->get(), settings.messages.names());
    if (!worker) return fail(worker.error());
    say("orderproc works on " + orders.info().name);
    signals.wait();
    shown.state().stopping();
    (*worker)->stop(drain);
    return 0;
}

int work(const work_settings& settings) {
    stop_signals signals;
    refuse_new_privileges();
    const auto drain = duration_option("--drain", settings.worker.drain);
    if (!drain) return fail(drain.error());
    if (!settings.shown.admin_listen.empty()) {
        const auto ok = settings.exposed.admits("--admin-listen", settings.shown.admin_listen,
                                                settings.tls.secured());
        if (!ok) return fail(ok.error());
    }
    auto model = settings.model.read();
    if (!model) return fail(model.error());
    const auto lease = settings.worker.parsed_lease();
    if (!lease) return fail(lease.error());
    auto orders = settings.storage.open(*lease);
    if (!orders) return fail(orders.error());
    const auto used = open_model(**orders, std::move(*model));
    if (!used) return fail(used.error());
    print_unfinished_migration(**orders);
    const int code = work_on(**orders, *used, settings, *drain, signals);
    return close_storage(**orders, code);
}

}  // namespace

void add_work(command_line to) {
    auto* command = to.app.add_subcommand("work", "Works on the orders of a storage");
    const auto settings = std::make_shared<work_settings>();
    settings->storage.add_to(*command);
    settings->storage.add_resume_to(*command);
    settings->model.add_to(*command, model_option_help);
    settings->worker.add_to(*command);
    settings->outgoing.add_to(*command);
    settings->messages.add_to(*command);
    settings->shown.add_to(*command);
    settings->exposed.add_to(*command);
    settings->tls.add_to(*command);
    settings->tokens.add_to(*command);
    command->callback([&run = to.run, settings] {
        settings->messages.command_line_read();
        run = [settings] { return work(*settings); };
    });
}

}  // namespace orderproc::server
