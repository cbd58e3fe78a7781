#include "cli/storage_settings.hpp"

#include "cli/refusal.hpp"
#include "cli/secret_url.hpp"
#include "cli/settings.hpp"
#include "cli/values.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/runtime.hpp>
#include <orderproc/sqlite.hpp>
#ifdef ORDERPROC_WITH_POSTGRES
#include <orderproc/postgres.hpp>
#endif

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

#ifdef ORDERPROC_WITH_POSTGRES
// A lease must be over on no clock before a quarter of it is.
constexpr int lease_parts = 4;

result<std::chrono::milliseconds> skew_of(const storage_settings& settings,
                                          std::optional<std::chrono::milliseconds> lease) {
    auto out = duration_option("--clock-skew-max", settings.clock_skew_max);
    if (!out || !lease || *out <= *lease / lease_parts) return out;
    if (settings.clock_option->count() == 0) return *lease / lease_parts;
    return failure{errc::invalid_argument, "--clock-skew-max: " + settings.clock_skew_max +
                                               " is more than a quarter of --lease"};
}

result<std::unique_ptr<storage>> open_database(postgres_options options) {
    auto opened = open_postgres(std::move(options));
    if (opened || opened.error().code != errc::schema_mismatch) return opened;
    failure why = std::move(opened).error();
    if (why.detail.ends_with("yet")) why.detail += ": orderproc migrate --init makes it";
    if (why.detail.ends_with("first")) why.detail += ": orderproc migrate";
    return why;
}
#endif

constexpr std::string_view sqlite_scheme = "sqlite:";

result<std::unique_ptr<storage>> open_file(sqlite_options options) {
    const std::string path = options.path;
    (void)disable_sqlite_memory_statistics();  // not the first time: it has been done
    auto opened = open_sqlite(std::move(options));
    if (opened || opened.error().code != errc::schema_mismatch) return opened;
    failure why = std::move(opened).error();
    if (why.detail.ends_with("migrate it first")) {
        why.detail += ": orderproc migrate --storage sqlite:" + path;
    }
    return why;
}

failure other_storage(const std::string& url, const char* wanted) {
    return {errc::invalid_argument, "--storage: \"" + url + "\" is not " + wanted};
}

}  // namespace

result<sqlite_options> storage_settings::sqlite() const {
    const auto mode = parse_file_mode(file_mode);
    if (!mode) return mode.error();
    const auto at = resolve();
    if (!at) return at.error();
    if (!is_sqlite(*at)) return other_storage(*at, "sqlite:PATH");
    sqlite_options out;
    out.path = at->substr(sqlite_scheme.size());
    out.file_mode = *mode;
    return out;
}

#ifdef ORDERPROC_WITH_POSTGRES
result<postgres_options> storage_settings::postgres(
    std::optional<std::chrono::milliseconds> lease) const {
    const auto at = resolve();
    if (!at) return at.error();
    if (!is_postgres(*at)) return other_storage(*at, "postgresql://HOST/DATABASE");
    const auto skew = skew_of(*this, lease);
    if (!skew) return skew.error();
    postgres_options out;
    out.connection = *at;
    out.schema = schema;
    out.clock_skew_max = *skew;
    out.resume_after_loss = resume_after_loss;
    return out;
}
#endif

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

bool is_postgres(std::string_view url) noexcept {
    return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

bool is_sqlite(std::string_view url) noexcept {
    return url.starts_with(sqlite_scheme) && url.size() > sqlite_scheme.size();
}

void storage_settings::add_to(CLI::App& command, const std::string& help) {
    option = add_setting(command, "storage", url,
                         help + ". With a password: from the environment or --storage-file only");
    add_setting(command, "storage-file", file, "A file whose first line is the URL for --storage");
    add_setting(command, "storage-schema", schema, "Where the tables are in PostgreSQL");
    clock_option =
        add_setting(command, "clock-skew-max", clock_skew_max,
                    "How far this clock and that of PostgreSQL may differ; 0: not looked "
                    "at");
    add_setting(command, "file-mode", file_mode,
                "Permissions of the files that SQLite's storage makes, in octal");
}

void storage_settings::add_resume_to(CLI::App& command) {
    add_setting(command, "resume-after-loss", resume_after_loss,
                "Let all workers go on after PostgreSQL has lost orders or steps of theirs");
}

result<std::string> resolve_url(const std::string& name, const CLI::Option* option,
                                const std::string& url, const std::string& file) {
    const std::string variable = option ? option->get_envname() : "";
    const char* const environment = std::getenv(variable.c_str());
    const bool given = option && option->count() > 0;
    const std::string of_file = "--" + name + "-file";
    if (!file.empty()) {
        if (!given) return of_option(of_file, read_url(file, name));
        return failure{errc::invalid_argument, "--" + name + " and " + of_file + ": one of them"};
    }
    if (given && has_password(url) && (!environment || url != environment)) {
        return failure{errc::invalid_argument, "a password in --" + name +
                                                   " is there for all to see: put the URL into " +
                                                   variable + " or into a file for " + of_file};
    }
    return url;
}

result<std::string> storage_settings::resolve() const {
    return resolve_url("storage", option, url, file);
}

result<std::unique_ptr<storage>> storage_settings::open(
    [[maybe_unused]] std::optional<std::chrono::milliseconds> lease) const {
    const auto at = resolve();
    if (!at) return at.error();
    if (const auto mode = parse_file_mode(file_mode); !mode) return mode.error();
    if (*at == "memory:") return make_memory_storage(system_runtime().random.next());
    if (is_sqlite(*at)) {
        auto options = sqlite();
        if (!options) return std::move(options).error();
        return open_file(std::move(*options));
    }
    if (is_postgres(*at)) {
#ifdef ORDERPROC_WITH_POSTGRES
        auto options = postgres(lease);
        if (!options) return std::move(options).error();
        return open_database(std::move(*options));
#else
        return failure{errc::invalid_argument,
                       "--storage: this orderproc was built without PostgreSQL"};
#endif
    }
    return failure{errc::invalid_argument,
                   "--storage: unknown storage \"" + *at +
                       "\": expected sqlite:PATH, postgresql://HOST/DATABASE "
                       "or memory:"};
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
