#include "cli/process.hpp"
#include "cli/settings.hpp"

#include <exception>

int main(int argc, char** argv) {
    using namespace orderproc::server;
    open_standard_descriptors();
    CLI::App app{"orderproc takes an order from accepted to done"};
    app.require_subcommand(1);
    app.set_version_flag("--version", ORDERPROC_VERSION);
    std::string configuration;
    app.add_option("--config", configuration, "File with settings that are not given otherwise")
        ->envname("ORDERPROC_CONFIG")
        ->check(CLI::ExistingFile);
    app.fallthrough();

    std::function<int()> run;
    add_serve({app, run});
    add_work({app, run});
    add_verify({app, run});
    add_migrate({app, run});
    add_copy({app, run});
    add_model({app, run});
    add_redact({app, run});
    add_purge({app, run});
    add_backup({app, run});
    add_restore({app, run});
    add_rotate_epoch({app, run});
    add_bench({app, run});
    add_order({app, run});
    add_operate({app, run});
    add_doctor({app, run});
    add_ready({app, run});
#ifdef ORDERPROC_WITH_WEBHOOKS
    add_webhooks({app, run});
#endif
    add_keys({app, run});
    add_audit({app, run});
    add_completion({app, run});
    try {
        app.parse(argc, argv);
        if (!configuration.empty()) {
            apply_configuration(*app.get_subcommands().front(), configuration);
        }
    } catch (const CLI::ParseError& e) {
        return refuse_usage(app, e);
    }
    try {
        return run();
    } catch (const std::exception& e) {
        return fail(e.what());
    }
}
