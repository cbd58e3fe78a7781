#include "storage/postgres/connecting.hpp"
#include "storage/postgres/settings.hpp"

#include <orderproc/postgres.hpp>

#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr const char* look_at_archiver =
    "SELECT current_setting('server_version'), current_database()::text, "
    "current_setting('archive_mode') <> 'off', "
    "(extract(epoch FROM last_archived_time) * 1000)::bigint, "
    "(extract(epoch FROM last_failed_time) * 1000)::bigint, "
    "(SELECT count(*) FROM pg_stat_replication) FROM pg_stat_archiver";

}  // namespace

result<postgres_backup_facts> look_at_postgres_backups(const postgres_options& options) {
    const auto settings = detail::postgres::settings_of(options);
    if (!settings) return settings.error();
    auto server = detail::postgres::connect_to_primary(*settings);
    if (!server) return std::move(server).error();
    server->db->add(look_at_archiver);
    const auto answers = server->db->run();
    if (!answers) return answers.error();
    const auto& found = answers->back();
    if (found.size() != 1) {
        return failure{errc::not_supported, "this server does not tell how it archives its log"};
    }
    postgres_backup_facts out;
    out.version = found.bytes(0, 0);
    out.database = found.bytes(0, 1);
    out.archives = found.integer(0, 2) != 0;
    out.archived_at = found.time_if_any(0, 3);
    out.failed_at = found.time_if_any(0, 4);
    out.standbys = found.natural(0, 5);
    return out;
}

}  // namespace v1
}  // namespace orderproc
