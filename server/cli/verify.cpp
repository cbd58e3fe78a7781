#include "cli/progress.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/values.hpp"

#include <orderproc/verify.hpp>

#include <cstdio>
#include <memory>

namespace orderproc::server {

namespace {

int verify_storage(const std::string& url) {
    auto orders = of_option("--storage", open_storage(url));
    if (!orders) return fail(orders.error());
    auto connection = (*orders)->connect(connection_role::reader);
    if (!connection) return fail(connection.error());

    progress_line line;
    const auto report =
        verify(**connection, status_machine::standard(), [&](const verify_report& so_far) {
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

}  // namespace

void add_verify(command_line to) {
    auto* command = to.app.add_subcommand(
        "verify", "Compares the journal with orders, counts and cursors; stop the writers first");
    const auto url = std::make_shared<std::string>("sqlite:orders.db");
    add_setting(*command, "storage", *url, "sqlite:PATH");
    command->callback([&run = to.run, url] { run = [url] { return verify_storage(*url); }; });
}

}  // namespace orderproc::server
