#include "auth/audit.hpp"

#include "cli/order_text.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "text/terminal_text.hpp"

#include <cstdio>
#include <memory>
#include <vector>

namespace orderproc::server {

namespace {

int show_audit(storage& opened) {
    auto connection = opened.connect_reader();
    if (!connection) return fail(connection.error());
    const auto all = auth::list_audit(**connection);
    if (!all) return fail(all.error());
    std::vector<table_row> rows{{"AT", "WHO", "ACTION", "ABOUT"}};
    for (const auth::audit_entry& it : *all) {
        rows.push_back(
            {to_string(it.at), printable(it.actor), printable(it.action), printable(it.about)});
    }
    std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

int audit(const storage_settings& settings) {
    auto orders = settings.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    if (auto can = require((*orders)->info(), {capability::records}, "orderproc audit"); !can) {
        return fail(can.error());
    }
    return close_storage(**orders, show_audit(**orders));
}

}  // namespace

void add_audit(command_line to) {
    auto* command = to.app.add_subcommand(
        "audit", "Who changed keys and the like, and when; kept for 400 days");
    const auto settings = std::make_shared<storage_settings>();
    settings->add_to(*command);
    command->callback([&run = to.run, settings] { run = [settings] { return audit(*settings); }; });
}

}  // namespace orderproc::server
