#include "cli/settings.hpp"

#include <orderproc/sqlite.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace orderproc::server {

namespace {

struct migrate_settings {
    std::string storage = "sqlite:orders.db";
    bool dry_run = false;
};

int migrate(const migrate_settings& settings) {
    const std::string scheme = "sqlite:";
    if (!settings.storage.starts_with(scheme)) {
        return fail({errc::invalid_argument, "--storage: unknown storage \"" + settings.storage +
                                                 "\": expected sqlite:PATH"});
    }
    const auto done =
        migrate_sqlite({.path = settings.storage.substr(scheme.size())}, settings.dry_run);
    if (!done) return fail(done.error());
    if (done->steps.empty()) {
        std::printf("%s has schema version %d already\n", settings.storage.c_str(), done->to);
        return 0;
    }
    int version = done->from;
    for (const std::string& step : done->steps) {
        std::printf("%s version %d: %s\n", settings.dry_run ? "would bring" : "brought", ++version,
                    step.c_str());
    }
    std::printf(settings.dry_run ? "%s is at schema version %d; tried and taken back, all well\n"
                                 : "%s went from schema version %d",
                settings.storage.c_str(), done->from);
    if (!settings.dry_run) std::printf(" to %d\n", done->to);
    return 0;
}

}  // namespace

void add_migrate(command_line to) {
    auto* command = to.app.add_subcommand(
        "migrate",
        "Brings a storage of an older version to this one's schema; stop the others "
        "and keep a copy first");
    const auto settings = std::make_shared<migrate_settings>();
    add_setting(*command, "storage", settings->storage, "sqlite:PATH");
    add_setting(*command, "dry-run", settings->dry_run, "Try it, and leave everything as it is");
    command->callback(
        [&run = to.run, settings] { run = [settings] { return migrate(*settings); }; });
}

}  // namespace orderproc::server
