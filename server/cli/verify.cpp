#include "cli/progress.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"
#include "cli/values.hpp"

#include <orderproc/verify.hpp>

#include <cstdio>
#include <memory>

namespace orderproc::server {

namespace {

int verify_storage(storage& orders) {
    const auto model = load_model(orders);
    if (!model) return fail(model.error());
    auto connection = orders.connect_reader();
    if (!connection) return fail(connection.error());

    progress_line line;
    const auto report = verify(**connection, model->statuses, [&](const verify_report& so_far) {
        line.show(std::to_string(so_far.entries) + " journal entries, " +
                  std::to_string(so_far.orders) + " orders");
    });
    line.clear();
    if (!report) return fail(report.error());
    if (report->difference) {
        std::printf("DIFFERENT: %s\n", report->difference->c_str());
        return 1;
    }
    std::printf("ok: %llu journal entries account for %llu orders\n",
                static_cast<unsigned long long>(report->entries),
                static_cast<unsigned long long>(report->orders));
    return 0;
}

int verify_settings(const storage_settings& settings) {
    auto orders = settings.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    const int code = verify_storage(**orders);
    return close_storage(**orders, code);
}

}  // namespace

void add_verify(command_line to) {
    auto* command = to.app.add_subcommand(
        "verify", "Compares the journal with orders, counts and cursors; stop the writers first");
    const auto settings = std::make_shared<storage_settings>();
    settings->add_to(*command);
    command->callback(
        [&run = to.run, settings] { run = [settings] { return verify_settings(*settings); }; });
}

}  // namespace orderproc::server
