#include "storage/postgres/connecting.hpp"
#include "storage/postgres/repository.hpp"
#include "storage/postgres/schema.hpp"
#include "storage/postgres/settings.hpp"
#include "storage/postgres/watch.hpp"

#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using detail::postgres::shared_state;

class postgres_storage final : public storage {
public:
    explicit postgres_storage(const postgres_options& options) {
        shared_.schema = options.schema;
        shared_.clock_skew_max = options.clock_skew_max;
        shared_.resume_after_loss = options.resume_after_loss;
    }

    storage_info info() const override {
        return {detail::postgres::name_of(shared_.settings),
                1,
                true,
                remarks_,
                {capability::epochs, capability::records, capability::purge, capability::id_lists,
                 capability::due_lists, capability::totals, capability::positions,
                 capability::indexes, capability::redaction}};
    }
    result<std::unique_ptr<repository>> connect_writer() override {
        return detail::postgres::connect_writer(shared_);
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return detail::postgres::connect_reader(shared_);
    }
    result<std::unique_ptr<commit_watch>> watch() override {
        return detail::postgres::watch_writes(shared_);
    }

    result<void> prepare(detail::postgres::connection_settings settings) {
        shared_.settings = std::move(settings);
        const auto opened = detail::postgres::connect(shared_);
        if (!opened) return opened.error();
        auto own = detail::postgres::expect_own_session(shared_, *opened);
        if (!own) return own;
        if (!opened->synced) {
            remarks_.emplace_back(
                "fsync is off in this PostgreSQL: orders may be lost or damaged by a crash of its "
                "machine");
        }
        return {};
    }

private:
    shared_state shared_;
    std::vector<std::string> remarks_;
};

}  // namespace

result<std::unique_ptr<storage>> open_postgres(postgres_options options) {
    auto settings = detail::postgres::settings_of(options);
    if (!settings) return std::move(settings).error();
    auto out = std::make_unique<postgres_storage>(options);
    if (auto ready = out->prepare(std::move(*settings)); !ready) return std::move(ready).error();
    return out;
}

result<postgres_migration> migrate_postgres(const postgres_options& options,
                                            const postgres_migrate_options& how) {
    const auto settings = detail::postgres::settings_of(options);
    if (!settings) return settings.error();
    auto server = detail::postgres::connect_to_primary(*settings);
    if (!server) return std::move(server).error();
    return detail::postgres::migrate_schema(*server->db, options.schema, how);
}

}  // namespace v1
}  // namespace orderproc
