#include "cli/progress.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"

#include <orderproc/copy.hpp>
#include <orderproc/sqlite.hpp>
#ifdef ORDERPROC_WITH_POSTGRES
#include <orderproc/postgres.hpp>
#endif

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

struct copy_settings {
    std::string from = "sqlite:orders.db";
    std::string to = {};
    std::string to_file = {};
    std::string to_schema = "orderproc";
    CLI::Option* to_option = nullptr;
};

result<std::unique_ptr<storage_source>> open_source(const copy_settings& settings) {
    constexpr std::string_view sqlite = "sqlite:";
    if (!settings.from.starts_with(sqlite) || settings.from.size() == sqlite.size()) {
        return failure{errc::invalid_argument,
                       "--from: \"" + settings.from + "\" is not sqlite:PATH"};
    }
    sqlite_options options;
    options.path = settings.from.substr(sqlite.size());
    (void)disable_sqlite_memory_statistics();
    return open_sqlite_source(std::move(options));
}

result<std::unique_ptr<storage_target>> open_target(const copy_settings& settings) {
    const auto url = resolve_url("to", settings.to_option, settings.to, settings.to_file);
    if (!url) return url.error();
    if (!is_postgres(*url)) {
        return failure{errc::invalid_argument,
                       "--to: \"" + *url + "\" is not postgresql://HOST/DATABASE"};
    }
#ifdef ORDERPROC_WITH_POSTGRES
    postgres_options options;
    options.connection = *url;
    options.schema = settings.to_schema;
    auto opened = open_postgres_target(std::move(options));
    if (opened || opened.error().code != errc::schema_mismatch) return opened;
    failure why = std::move(opened).error();
    if (why.detail.ends_with("yet")) why.detail += ": orderproc migrate --init makes it";
    return why;
#else
    return failure{errc::invalid_argument, "--to: this orderproc was built without PostgreSQL"};
#endif
}

void report_copy(const storage_tally& copied) {
    std::printf(
        "copied: %llu orders, %llu journal entries, %llu idempotency keys, %llu cursors, "
        "%llu records, %llu ids of deleted orders\n",
        static_cast<unsigned long long>(copied.orders),
        static_cast<unsigned long long>(copied.entries),
        static_cast<unsigned long long>(copied.keys),
        static_cast<unsigned long long>(copied.cursors),
        static_cast<unsigned long long>(copied.records),
        static_cast<unsigned long long>(copied.names));
    for (const auto& [currency, sum] : copied.amounts) {
        std::printf("the same in both: %llu orders in %s, of %s minor units in all\n",
                    static_cast<unsigned long long>(sum.orders), currency.c_str(),
                    to_string(sum).c_str());
    }
}

int copy_all(const copy_settings& settings) {
    const auto to = open_target(settings);
    if (!to) return fail(to.error());
    const auto from = open_source(settings);
    if (!from) return fail(from.error());
    progress_line line;
    const auto copied =
        copy_storage(**from, **to, [&line](const storage_tally& so_far, const storage_tally& of) {
            line.show(std::to_string(so_far.orders) + " of " + std::to_string(of.orders) +
                      " orders, " + std::to_string(so_far.entries) + " of " +
                      std::to_string(of.entries) + " journal entries");
        });
    line.clear();
    if (!copied) return fail(copied.error());
    report_copy(*copied);
    return 0;
}

}  // namespace

void add_copy(command_line to) {
    auto* command = to.app.add_subcommand(
        "copy", "Copies all that an SQLite file holds into an empty schema of PostgreSQL");
    const auto settings = std::make_shared<copy_settings>();
    add_setting(*command, "from", settings->from, "sqlite:PATH, which nothing else may have open");
    settings->to_option =
        add_setting(*command, "to", settings->to,
                    "postgresql://… With a password: from the environment or --to-file only");
    add_setting(*command, "to-file", settings->to_file,
                "A file whose first line is the URL for --to");
    add_setting(*command, "to-schema", settings->to_schema, "Where the tables are in PostgreSQL");
    command->callback(
        [&run = to.run, settings] { run = [settings] { return copy_all(*settings); }; });
}

}  // namespace orderproc::server
