#include "cli/model_migration.hpp"
#include "cli/progress.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"

#include <orderproc/sqlite.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

struct migrate_settings {
    storage_settings storage;
    model_settings model;
    bool dry_run = false;
};

// Says what was done.
int report_schema(const migrate_settings& settings, const sqlite_migration& done) {
    const std::string& url = settings.storage.url;
    if (done.steps.empty()) {
        std::printf("%s has schema version %d already\n", url.c_str(), done.to);
        return 0;
    }
    int version = done.from;
    for (const std::string& step : done.steps) {
        std::printf("%s version %d: %s\n", settings.dry_run ? "would bring" : "brought", ++version,
                    step.c_str());
    }
    std::printf(settings.dry_run ? "%s is at schema version %d; tried and taken back, all well\n"
                                 : "%s went from schema version %d",
                url.c_str(), done.from);
    if (!settings.dry_run) std::printf(" to %d\n", done.to);
    return 0;
}

int report_model(const model_migration& done, bool dry_run) {
    if (done.changes.empty()) {
        std::printf(done.version == 0 ? "the model is the standard one already\n"
                                      : "the model is stored already, as version %llu\n",
                    static_cast<unsigned long long>(done.version));
    } else if (dry_run) {
        std::printf("the model can be stored: %s\n", done.changes.c_str());
    } else {
        std::printf("the model is stored as version %llu: %s\n",
                    static_cast<unsigned long long>(done.version), done.changes.c_str());
    }
    if (done.refreshed > 0 || done.resumed) {
        std::printf("%llu orders were indexed\n", static_cast<unsigned long long>(done.refreshed));
    }
    return 0;
}

int migrate_model_of(const migrate_settings& settings, shop_model next) {
    auto orders = settings.storage.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    progress_line line;
    const auto done =
        settings.dry_run
            ? check_model_migration(**orders, next)
            : migrate_model(**orders, std::move(next), [&line](std::uint64_t orders_done) {
                  line.show(std::to_string(orders_done) + " orders indexed");
              });
    line.clear();
    if (!done) return fail(done.error());
    return close_storage(**orders, report_model(*done, settings.dry_run));
}

int migrate(const migrate_settings& settings) {
    const std::string scheme = "sqlite:";
    const std::string& url = settings.storage.url;
    if (!url.starts_with(scheme)) {
        return fail({errc::invalid_argument,
                     "--storage: unknown storage \"" + url + "\": expected sqlite:PATH"});
    }
    const auto mode = parse_file_mode(settings.storage.file_mode);
    if (!mode) return fail(mode.error());
    auto model = settings.model.read();
    if (!model) return fail(model.error());
    sqlite_options options;
    options.path = url.substr(scheme.size());
    options.file_mode = *mode;
    const auto done = migrate_sqlite(options, settings.dry_run);
    if (!done) return fail(done.error());
    const int code = report_schema(settings, *done);
    if (code != 0 || !*model) return code;
    if (settings.dry_run && !done->steps.empty()) {
        std::printf("the model cannot be tried before the schema has been migrated\n");
        return 0;
    }
    return migrate_model_of(settings, std::move(**model));
}

}  // namespace

void add_migrate(command_line to) {
    auto* command = to.app.add_subcommand(
        "migrate",
        "Brings a storage of an older version to this one's schema; stop the others "
        "and keep a copy first");
    const auto settings = std::make_shared<migrate_settings>();
    settings->storage.add_to(*command);
    settings->model.add_to(*command,
                           "File of the model that the storage is to have from now on: it may add "
                           "attributes that are not required, and indexes");
    add_setting(*command, "dry-run", settings->dry_run, "Try it, and leave everything as it is");
    command->callback(
        [&run = to.run, settings] { run = [settings] { return migrate(*settings); }; });
}

}  // namespace orderproc::server
