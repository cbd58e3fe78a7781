#include "cli/settings.hpp"

#include <cstdio>

namespace orderproc::server {

void apply_configuration(CLI::App& chosen, const std::string& path) {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(path)) {
        if (item.name == "++" || item.name == "--") continue;  // marks of sections
        if (item.parents.size() > 1) throw CLI::ConfigError::NotConfigurable(item.fullname());
        if (!item.parents.empty() && item.parents[0] != chosen.get_name()) continue;
        CLI::Option* option = chosen.get_option_no_throw("--" + item.name);
        if (!option) throw CLI::ConfigError::Extras(item.fullname());
        if (option->count() > 0) continue;  // a flag or the environment said so
        if (option->get_expected_min() == 0) {
            option->add_result(chosen.get_config_formatter()->to_flag(item));
        } else {
            option->add_result(item.inputs);
        }
        option->run_callback();
    }
}

int fail(const std::string& why) {
    std::fprintf(stderr, "orderproc: %s\n", why.c_str());
    return 1;
}

int fail(const failure& why) {
    // What these codes say of themselves adds nothing.
    const bool plain = why.code == errc::invalid_argument || why.code == errc::unavailable ||
                       why.code == errc::schema_mismatch;
    fail(plain && !why.detail.empty() ? why.detail : why.message());
    return why.code == errc::invalid_argument ? wrong_usage : 1;
}

}  // namespace orderproc::server
