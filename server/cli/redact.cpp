#include "cli/operator_name.hpp"
#include "cli/order_command.hpp"
#include "cli/progress.hpp"
#include "cli/redactor.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"
#include "text/terminal_text.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

struct redact_settings {
    storage_settings storage;
    std::vector<std::string> orders;
    std::string user;
    std::string tenant;
    std::string as;
    std::string log;
    bool json = false;
};

void print_redacted(std::uint64_t redacted, std::uint64_t unchanged) {
    std::printf("redacted: %llu %s; %llu had nothing left to be taken out\n",
                static_cast<unsigned long long>(redacted), redacted == 1 ? "order" : "orders",
                static_cast<unsigned long long>(unchanged));
}

int redact_named(redactor& by, const redact_settings& settings) {
    const auto done = by.redact(settings.orders);
    if (!done) return fail(done.error());
    boost::json::array refused;
    const auto refuse = [&](const std::string& id, const char* code, const char* why) {
        refused.push_back(boost::json::object{{"order_id", id}, {"code", code}});
        if (!settings.json) fail("order " + printable(id) + why);
    };
    for (const std::string& id : done->open) {
        refuse(id, "not_settled", " is not settled, and is left as it is");
    }
    for (const std::string& id : done->missing) {
        refuse(id, "not_found", ": there is no such order");
    }
    const int code = refused.empty() ? 0 : 1;
    if (settings.json) {
        print_json(boost::json::serialize(boost::json::object{{"redacted", done->redacted},
                                                              {"unchanged", done->unchanged},
                                                              {"refused", std::move(refused)}}));
    } else {
        print_redacted(done->redacted, done->unchanged);
    }
    return code;
}

int redact_user(redactor& by, const redact_settings& settings) {
    order_scope whose;
    whose.user = settings.user;
    if (!settings.tenant.empty()) whose.tenant = settings.tenant;
    progress_line line(!settings.json);
    const auto report = by.redact_all(whose, [&](const redact_report& so_far) {
        line.show(std::to_string(so_far.redacted) + " orders redacted");
    });
    line.clear();
    if (!report) return fail(report.error());
    if (settings.json) {
        print_json(boost::json::serialize(boost::json::object{{"redacted", report->redacted},
                                                              {"unchanged", report->before},
                                                              {"open", report->open}}));
        return report->open == 0 ? 0 : 1;
    }
    print_redacted(report->redacted, report->before);
    if (report->open == 0) return 0;
    return fail(std::to_string(report->open) +
                " orders are not settled, and are left as they are: come again when they are");
}

int empty_log(repository& orders, int code) {
    const auto emptied = empty_log_of(orders);
    if (!emptied) return fail(emptied.error());
    if (*emptied) return code;
    fail(
        "what was taken out is still in the log, which another program reads: the server empties "
        "it when that has ended, or the last program that stops does");
    return code == 0 ? 1 : code;
}

int redact_in(storage& orders, const redact_settings& settings) {
    const auto can = require(orders.info(), {capability::redaction}, "orderproc redact");
    if (!can) return fail(can.error());
    const auto shop = load_model(orders);
    if (!shop) return fail(shop.error());
    auto actor = operator_name(settings.as);
    if (!actor) return fail(actor.error());
    std::optional<redaction_log> log;
    if (!settings.log.empty()) {
        auto opened = redaction_log::open(settings.log);
        if (!opened) return fail(opened.error());
        log.emplace(std::move(*opened));
    }
    auto writer = orders.connect_writer();
    if (!writer) return fail(writer.error());
    redactor by(**writer, *shop, std::move(*actor),
                orders.info().capabilities.has(capability::records), log ? &*log : nullptr);
    const int code = settings.user.empty() ? redact_named(by, settings) : redact_user(by, settings);
    return empty_log(**writer, code);
}

int redact(const redact_settings& settings) {
    if (settings.orders.empty() == settings.user.empty()) {
        return fail({errc::invalid_argument, "give either orders or --user"});
    }
    auto orders = settings.storage.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    const int code = redact_in(**orders, settings);
    return close_storage(**orders, code);
}

}  // namespace

void add_redact(command_line to) {
    auto* command = to.app.add_subcommand(
        "redact", "Takes what is personal out of orders, or out of all orders of a user");
    const auto settings = std::make_shared<redact_settings>();
    settings->storage.add_to(*command);
    command->add_option("orders", settings->orders, "Ids of orders, which may be deleted");
    add_setting(*command, "user", settings->user, "All settled and deleted orders of this user");
    add_setting(*command, "tenant", settings->tenant, "Of --user: only those of this tenant");
    add_setting(*command, "redaction-log", settings->log,
                "A file outside of the storage to which redactions are added, for restores");
    add_setting(*command, "as", settings->as,
                "Who you are, if several people share the user that you are logged in as");
    add_setting(*command, "json", settings->json, "For programs: how many, and which were refused");
    command->callback(
        [&run = to.run, settings] { run = [settings] { return redact(*settings); }; });
}

}  // namespace orderproc::server
