#include "cli/storage_settings.hpp"

#include "cli/settings.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/runtime.hpp>
#include <orderproc/sqlite.hpp>

#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>

namespace orderproc::server {

result<unsigned> parse_file_mode(const std::string& text) {
    unsigned mode = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, ec] = std::from_chars(text.data(), end, mode, 8);
    if (ec == std::errc{} && rest == end && text.size() <= 4 && mode <= 0777 &&
        (mode & 0600) == 0600) {
        return mode;
    }
    return failure{errc::invalid_argument,
                   "--file-mode: \"" + text +
                       "\" is not an octal mode up to 0777 that lets the owner read and write, "
                       "such as 0640"};
}

void storage_settings::add_to(CLI::App& command, const std::string& help) {
    add_setting(command, "storage", url, help);
    add_setting(command, "file-mode", file_mode,
                "Permissions of the files that SQLite's storage makes, in octal");
}

result<std::unique_ptr<storage>> storage_settings::open() const {
    const auto mode = parse_file_mode(file_mode);
    if (!mode) return mode.error();
    if (url == "memory:") return make_memory_storage(system_runtime().random.next());
    constexpr std::string_view sqlite = "sqlite:";
    if (url.starts_with(sqlite) && url.size() > sqlite.size()) {
        sqlite_options options;
        options.path = url.substr(sqlite.size());
        options.file_mode = *mode;
        (void)disable_sqlite_memory_statistics();  // not the first time: it has been done
        auto opened = open_sqlite(std::move(options));
        if (opened || opened.error().code != errc::schema_mismatch) return opened;
        failure why = std::move(opened).error();
        if (why.detail.ends_with("migrate it first")) {
            why.detail += ": orderproc migrate --storage " + url;
        }
        return why;
    }
    return failure{errc::invalid_argument,
                   "--storage: unknown storage \"" + url + "\": expected sqlite:PATH or memory:"};
}

void print_remarks(const storage& opened) {
    for (const std::string& it : opened.info().remarks) {
        std::fprintf(stderr, "orderproc: %s\n", it.c_str());
    }
}

int close_storage(storage& opened, int code) {
    const auto closed = opened.close();
    if (closed) return code;
    fail(closed.error());
    return code == 0 ? 1 : code;
}

}  // namespace orderproc::server
