#include "cli/model_migration.hpp"
#include "cli/progress.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"

#include <orderproc/sqlite.hpp>
#ifdef ORDERPROC_WITH_POSTGRES
#include <orderproc/postgres.hpp>
#endif

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

struct migrate_settings {
    storage_settings storage;
    model_settings model;
    bool init = false;
    bool dry_run = false;
};

struct migration {
    int from = 0;
    int to = 0;
    std::vector<std::string> steps;
};

result<migration> migrate_file(const migrate_settings& settings, const std::string& url) {
    const auto mode = parse_file_mode(settings.storage.file_mode);
    if (!mode) return mode.error();
    if (settings.init) {
        return failure{errc::invalid_argument,
                       "--init is for PostgreSQL: a file of SQLite is made when it is opened"};
    }
    sqlite_options options;
    options.path = url.substr(url.find(':') + 1);
    options.file_mode = *mode;
    auto done = migrate_sqlite(options, settings.dry_run);
    if (!done) return std::move(done).error();
    return migration{done->from, done->to, std::move(done->steps)};
}

#ifdef ORDERPROC_WITH_POSTGRES
result<migration> migrate_database(const migrate_settings& settings, const std::string& url) {
    postgres_options options;
    options.connection = url;
    options.schema = settings.storage.schema;
    auto done = migrate_postgres(options, {settings.init, settings.dry_run});
    if (!done) {
        failure why = std::move(done).error();
        if (why.code == errc::not_found) why.detail += ": --init makes it";
        return why;
    }
    return migration{done->from, done->to, std::move(done->steps)};
}
#endif

result<migration> migrate_storage(const migrate_settings& settings, const std::string& url) {
    if (url.starts_with("sqlite:")) return migrate_file(settings, url);
#ifdef ORDERPROC_WITH_POSTGRES
    if (is_postgres(url)) return migrate_database(settings, url);
#endif
    return failure{errc::invalid_argument,
                   "--storage: unknown storage \"" + url +
                       "\": expected sqlite:PATH or postgresql://HOST/DATABASE"};
}

// Says what was done.
void report_schema(const migration& done, bool dry_run, const std::string& shown) {
    if (done.steps.empty()) {
        std::printf("%s has schema version %d already\n", shown.c_str(), done.to);
        return;
    }
    int version = done.from;
    for (const std::string& step : done.steps) {
        std::printf("%s version %d: %s\n", dry_run ? "would bring" : "brought", ++version,
                    step.c_str());
    }
    std::printf(dry_run ? "%s is at schema version %d; tried and taken back, all well\n"
                        : "%s went from schema version %d",
                shown.c_str(), done.from);
    if (!dry_run) std::printf(" to %d\n", done.to);
}

void report_model(const model_migration& done, bool dry_run) {
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
    if (!done) return close_storage(**orders, fail(done.error()));
    report_model(*done, settings.dry_run);
    return close_storage(**orders, 0);
}

int migrate(const migrate_settings& settings) {
    auto model = settings.model.read();
    if (!model) return fail(model.error());
    const auto url = settings.storage.resolve();
    if (!url) return fail(url.error());
    const auto done = migrate_storage(settings, *url);
    if (!done) return fail(done.error());
    report_schema(*done, settings.dry_run, without_secrets(*url));
    if (!*model) return 0;
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
    add_setting(*command, "init", settings->init, "Make the schema in PostgreSQL if there is none");
    add_setting(*command, "dry-run", settings->dry_run, "Try it, and leave everything as it is");
    command->callback(
        [&run = to.run, settings] { run = [settings] { return migrate(*settings); }; });
}

}  // namespace orderproc::server
