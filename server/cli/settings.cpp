#include "cli/settings.hpp"

#include "cli/refusal.hpp"
#include "observe/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>

namespace orderproc::server {

namespace {

// Standard error may be a pipe that nobody empties: the process has to end all the same.
constexpr std::chrono::seconds reader_timeout(2);

constexpr std::size_t setting_name_max = 40;

bool is_setting_name(std::string_view text) {
    return !text.empty() && text.size() <= setting_name_max &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
}

// The file may be any file: what is in it is shown only if it looks like the name of a setting.
CLI::ConfigError unknown_setting(const std::string& path, const std::string& name) {
    const std::string what = is_setting_name(name)
                                 ? "unknown setting \"" + name + "\""
                                 : "a line is not of the form setting = value, or [subcommand]";
    return {"--config " + path + ": " + what, CLI::ExitCodes::ConfigError};
}

}  // namespace

void apply_configuration(CLI::App& chosen, const std::string& path) {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(path)) {
        if (item.name == "++" || item.name == "--") continue;  // marks of sections
        if (item.parents.size() > 1) throw unknown_setting(path, item.fullname());
        if (!item.parents.empty() && item.parents[0] != chosen.get_name()) continue;
        CLI::Option* option = chosen.get_option_no_throw("--" + item.name);
        if (!option) throw unknown_setting(path, item.name);
        if (option->count() > 0) continue;  // a flag or the environment said so
        if (option->get_expected_min() == 0) {
            option->add_result(chosen.get_config_formatter()->to_flag(item));
        } else {
            option->add_result(item.inputs);
        }
        option->run_callback();
    }
}

void say(std::string_view line) {
    write_within(reader_timeout, STDOUT_FILENO, std::string(line) + "\n");
}

int fail(const std::string& why) {
    write_within(reader_timeout, STDERR_FILENO, "orderproc: " + without_secrets(why) + "\n");
    return 1;
}

int refuse_usage(const CLI::App& app, const CLI::ParseError& why) {
    if (why.get_exit_code() == 0) return app.exit(why);  // --help, --version
    std::ostringstream text;
    app.exit(why, text, text);
    write_within(reader_timeout, STDERR_FILENO, without_secrets(text.str()));
    return wrong_usage;
}

int fail(const failure& why) {
    // What these codes say of themselves adds nothing, or is said of orders where it was a file.
    const bool plain = why.code == errc::invalid_argument || why.code == errc::unavailable ||
                       why.code == errc::schema_mismatch || why.code == errc::already_exists;
    fail(plain && !why.detail.empty() ? why.detail : why.message());
    return why.code == errc::invalid_argument ? wrong_usage : 1;
}

}  // namespace orderproc::server
