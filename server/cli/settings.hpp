#ifndef ORDERPROC_SERVER_CLI_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_SETTINGS_HPP

// Every option is a flag, an environment variable ORDERPROC_… and a key of a configuration
// file, in that order of strength.

#include <orderproc/error.hpp>

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace orderproc::server {

// One subcommand: its options, and what to do with them.
struct command_line {
    CLI::App& app;
    std::function<int()>& run;  // set by the subcommand that was chosen; answers the exit code
};

// --in-flight becomes ORDERPROC_IN_FLIGHT.
template <class Value>
CLI::Option* add_setting(CLI::App& to, const std::string& flag, Value& value,
                         const std::string& help) {
    std::string variable = "ORDERPROC_";
    for (const char c : flag) variable += c == '-' ? '_' : static_cast<char>(std::toupper(c));
    CLI::Option* made;
    if constexpr (std::is_same_v<Value, bool>) {
        made = to.add_flag("--" + flag, value, help);
    } else {
        made = to.add_option("--" + flag, value, help)->capture_default_str();
    }
    return made->envname(variable);
}

// Fills in from the file (TOML: key = value, under [subcommand] or at the top) what neither
// flag nor environment gave. Throws CLI::ParseError for what it does not know; the text has the
// name of a setting at most, for the file may be one that was never meant to be shown.
void apply_configuration(CLI::App& chosen, const std::string& path);

constexpr int wrong_usage = 2;

// Says why on stderr, without secrets, and returns the exit code: 1, or wrong_usage for an invalid
// argument. Gives up when nobody reads that for two seconds.
int fail(const std::string& why);
int fail(const failure& why);
int refuse_usage(const CLI::App& app, const CLI::ParseError& why);  // or shows the help: 0

// A line on stdout for whoever started us. Gives up as fail() does, so that a server whose output
// nobody reads goes on.
void say(std::string_view line);

void add_audit(command_line to);
void add_backup(command_line to);
void add_completion(command_line to);
void add_doctor(command_line to);
void add_keys(command_line to);
void add_serve(command_line to);
void add_work(command_line to);
void add_verify(command_line to);
void add_migrate(command_line to);
void add_model(command_line to);
void add_purge(command_line to);
void add_ready(command_line to);
void add_redact(command_line to);
void add_restore(command_line to);
void add_rotate_epoch(command_line to);
void add_bench(command_line to);
void add_copy(command_line to);
void add_operate(command_line to);
void add_order(command_line to);
void add_webhooks(command_line to);

}  // namespace orderproc::server

#endif
