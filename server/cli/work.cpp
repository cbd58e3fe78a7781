#include "cli/broker_settings.hpp"
#include "cli/exposure_settings.hpp"
#include "cli/observation.hpp"
#include "cli/process.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/signals.hpp"
#include "cli/values.hpp"
#include "cli/worker_settings.hpp"

#include <memory>

namespace orderproc::server {

namespace {

struct work_settings {
    std::string storage = "sqlite:orders.db";
    worker_settings worker;
    broker_settings messages;
    observation_settings shown;
    exposure_settings exposed;
};

int work(const work_settings& settings) {
    stop_signals signals;
    refuse_new_privileges();
    const auto drain = duration_option("--drain", settings.worker.drain);
    if (!drain) return fail(drain.error());
    if (!settings.shown.admin_listen.empty()) {
        const auto ok = settings.exposed.admits("--admin-listen", settings.shown.admin_listen);
        if (!ok) return fail(ok.error());
    }
    auto orders = of_option("--storage", open_storage(settings.storage));
    if (!orders) return fail(orders.error());
    auto messages = settings.messages.open();
    if (!messages) return fail(messages.error());
    observation shown(settings.shown, status_machine::standard());
    if (runs_as_root()) shown.log({log_level::warning, "running_as_root", {}});
    engine_options how;
    how.watch_others = !*messages;  // they tell of what others commit
    engine writes(**orders, status_machine::standard(), system_runtime(shown.watch()), how);
    reader reads(**orders, 1);
    shown.read_from(reads, writes.with());
    auto admin = admin_server::open(settings.shown, shown, writes, reads);
    if (!admin) return fail(admin.error());
    auto worker = running_worker::start(writes, settings.worker, messages->get());
    if (!worker) return fail(worker.error());
    say("orderproc works on " + (*orders)->info().name);
    signals.wait();
    shown.state().stopping();
    (*worker)->stop(*drain);
    return 0;
}

}  // namespace

void add_work(command_line to) {
    auto* command = to.app.add_subcommand("work", "Works on the orders of a storage");
    const auto settings = std::make_shared<work_settings>();
    add_setting(*command, "storage", settings->storage, "sqlite:PATH");
    settings->worker.add_to(*command);
    settings->messages.add_to(*command);
    settings->shown.add_to(*command);
    settings->exposed.add_to(*command);
    command->callback([&run = to.run, settings] {
        settings->messages.command_line_read();
        run = [settings] { return work(*settings); };
    });
}

}  // namespace orderproc::server
