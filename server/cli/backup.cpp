// `orderproc backup`: a copy of the storage, beside those who use it.

#include "cli/order_command.hpp"
#include "cli/progress.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"
#include "text/terminal_text.hpp"

#include <orderproc/runtime.hpp>
#include <orderproc/sqlite.hpp>
#include <orderproc/verify.hpp>
#ifdef ORDERPROC_WITH_POSTGRES
#include <orderproc/postgres.hpp>
#endif

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

namespace js = boost::json;

struct backup_settings {
    storage_settings storage;
    std::string to;
    bool json = false;
};

// "{time}" in a name becomes 20260615T142311Z, so that each backup has a name of its own.
std::string with_time(std::string name) {
    constexpr std::string_view mark = "{time}";
    const std::size_t at = name.find(mark);
    if (at == name.npos) return name;
    std::string now = to_string(system_runtime().time.now());  // 2026-06-15T14:23:11.000Z
    now.resize(now.find('.'));
    std::erase_if(now, [](char c) { return c == '-' || c == ':'; });
    return name.replace(at, mark.size(), now + "Z");
}

result<verify_report> verify_copy(const std::string& path, progress_line& line) {
    const auto copy = open_sqlite_backup(path);
    if (!copy) return copy.error();
    const auto model = load_model(**copy);
    if (!model) return model.error();
    auto reader = (*copy)->connect_reader();
    if (!reader) return std::move(reader).error();
    return verify(**reader, model->statuses, [&line](const verify_report& so_far) {
        line.show("verified: " + std::to_string(so_far.entries) + " journal entries");
    });
}

int backup_file(const sqlite_options& from, const backup_settings& with) {
    if (with.to.empty()) return fail({errc::invalid_argument, "give the name of the copy"});
    const std::string to = with_time(with.to);
    (void)disable_sqlite_memory_statistics();
    progress_line line(!with.json);
    sqlite_backup_options how;
    how.progress = [&line](std::uint64_t pages, std::uint64_t of) {
        line.show(std::to_string(pages) + " of " + std::to_string(of) + " pages");
    };
    const auto made = backup_sqlite(from, to, how);
    line.clear();
    if (!made) return fail(made.error());
    const auto checked = verify_copy(to, line);
    line.clear();
    if (!checked) {
        return fail(to + " was made, and cannot be verified: " + checked.error().message());
    }
    if (checked->difference) {
        return fail(to +
                    " is a whole copy, but of a storage that is damaged: " + *checked->difference);
    }
    if (with.json) {
        print_json(js::serialize(js::object{{"file", to},
                                            {"bytes", made->bytes},
                                            {"orders", checked->orders},
                                            {"entries", checked->entries},
                                            {"position", to_string(made->newest)}}));
        return 0;
    }
    std::printf("%s: %llu orders, %llu journal entries, %llu bytes; verified\n",
                printable(to).c_str(), static_cast<unsigned long long>(checked->orders),
                static_cast<unsigned long long>(checked->entries),
                static_cast<unsigned long long>(made->bytes));
    return 0;
}

#ifdef ORDERPROC_WITH_POSTGRES
std::string time_or_never(const std::optional<timestamp>& at) {
    return at ? to_string(*at) : "never";
}

// Its log is archived, and not only tried to be.
bool is_archived(const postgres_backup_facts& it) {
    return it.archives && it.archived_at && (!it.failed_at || *it.failed_at <= *it.archived_at);
}

int judge_database(const postgres_options& from, const backup_settings& with) {
    if (!with.to.empty()) {
        return fail({errc::invalid_argument,
                     "PostgreSQL makes its backups itself, by pg_basebackup or pg_dump: leave the "
                     "name out to see how it is set up for that"});
    }
    const auto found = look_at_postgres_backups(from);
    if (!found) return fail(found.error());
    const bool good = is_archived(*found);
    if (with.json) {
        js::object out{{"server", found->version},
                       {"database", found->database},
                       {"archives", found->archives},
                       {"archived_at", nullptr},
                       {"failed_at", nullptr},
                       {"standbys", found->standbys},
                       {"ok", good}};
        if (found->archived_at) out["archived_at"] = to_string(*found->archived_at);
        if (found->failed_at) out["failed_at"] = to_string(*found->failed_at);
        print_json(js::serialize(out));
        return good ? 0 : 1;
    }
    std::printf(
        "PostgreSQL makes its backups itself: pg_basebackup with archived logs for the whole "
        "server, pg_dump for this database.\n"
        "server %s, database %s\n"
        "log is archived: %s; latest piece: %s; latest failure: %s\n"
        "standbys that are connected: %llu\n",
        printable(found->version).c_str(), printable(found->database).c_str(),
        found->archives ? "yes" : "no", time_or_never(found->archived_at).c_str(),
        time_or_never(found->failed_at).c_str(), static_cast<unsigned long long>(found->standbys));
    if (good) return 0;
    return fail(
        "the log is not archived, so a restore loses all that was written since the latest dump: "
        "set archive_mode and archive_command");
}
#endif

int backup(const backup_settings& with) {
    const auto at = with.storage.resolve();
    if (!at) return fail(at.error());
#ifdef ORDERPROC_WITH_POSTGRES
    if (is_postgres(*at)) {
        const auto options = with.storage.postgres();
        return options ? judge_database(*options, with) : fail(options.error());
    }
#endif
    const auto options = with.storage.sqlite();
    return options ? backup_file(*options, with) : fail(options.error());
}

}  // namespace

void add_backup(command_line to) {
    auto* command = to.app.add_subcommand(
        "backup", "Copies an SQLite file in use; says how PostgreSQL is set up for its backups");
    const auto with = std::make_shared<backup_settings>();
    with->storage.add_to(*command);
    command->add_option("to", with->to,
                        "Name of the copy, which must not exist; {time} in it becomes the time");
    add_setting(*command, "json", with->json, "For programs");
    command->callback([&run = to.run, with] { run = [with] { return backup(*with); }; });
}

}  // namespace orderproc::server
