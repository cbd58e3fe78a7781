#ifndef ORDERPROC_SERVER_CLI_STORAGE_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_STORAGE_SETTINGS_HPP

// Where the orders are: the options of every command that opens a storage.

#include <orderproc/repository.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
struct postgres_options;
struct sqlite_options;
}  // namespace v1
}  // namespace orderproc

namespace orderproc::server {

struct storage_settings {
    std::string url = "sqlite:orders.db";
    std::string file = {};  // whose first line is the URL instead
    std::string schema = "orderproc";
    std::string clock_skew_max = "2s";
    std::string file_mode = "0600";
    bool resume_after_loss = false;

    void add_to(CLI::App& command, const std::string& help = "sqlite:PATH or postgresql://…");
    void add_resume_to(CLI::App& command);  // for commands that have workers
    // lease: of a worker there, which bounds clock_skew_max. errc::invalid_argument: one of them
    // cannot be read.
    result<std::unique_ptr<storage>> open(
        std::optional<std::chrono::milliseconds> lease = {}) const;
    // What it is opened with. errc::invalid_argument: the URL is not of this kind of storage, or an
    // option cannot be read.
    result<sqlite_options> sqlite() const;
    result<postgres_options> postgres(std::optional<std::chrono::milliseconds> lease = {}) const;
    // The URL of the option or the file. errc::invalid_argument: both are given, or it has a
    // password that others can see.
    result<std::string> resolve() const;

    // --storage and --clock-skew-max, as add_to() has made them
    CLI::Option* option = nullptr;
    CLI::Option* clock_option = nullptr;
};

bool is_postgres(std::string_view url) noexcept;
bool is_sqlite(std::string_view url) noexcept;

// The URL of the option --NAME or of the file of --NAME-file. errc::invalid_argument: both are
// given, or it has a password that others can see.
result<std::string> resolve_url(const std::string& name, const CLI::Option* option,
                                const std::string& url, const std::string& file);

// "0600", "640": octal, at most 0777; the owner reads and writes. errc::invalid_argument.
result<unsigned> parse_file_mode(const std::string& text);

// Says on standard error what opening it found.
void print_remarks(const storage& opened);

// The exit code of a command that is done with the storage: code, or 1 and a word on standard
// error if something did not get to its place. REQUIRES: as storage::close().
int close_storage(storage& opened, int code);

}  // namespace orderproc::server

#endif
