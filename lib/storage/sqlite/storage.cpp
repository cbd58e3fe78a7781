#include "repository.hpp"
#include "schema.hpp"
#include "watch.hpp"
#include "write_lock.hpp"

#include <orderproc/sqlite.hpp>

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using detail::sqlite::connection;

// STRICT tables came with 3.37.
constexpr int oldest_sqlite = 3037000;

class sqlite_storage final : public storage {
public:
    explicit sqlite_storage(sqlite_options options) : options_(std::move(options)) {}

    storage_info info() const override { return {"sqlite:" + options_.path, 1, true}; }

    result<std::unique_ptr<repository>> connect(connection_role role) override {
        return role == connection_role::writer ? detail::sqlite::connect_writer(options_)
                                               : detail::sqlite::connect_reader(options_);
    }

    result<std::unique_ptr<commit_watch>> watch() override {
        return detail::sqlite::watch_lock_file(options_.path + "-lock");
    }

    result<void> prepare() const {
        auto lock = detail::sqlite::write_lock::open(options_.path + "-lock");
        if (!lock) return std::move(lock).error();
        if (auto got = (*lock)->acquire(options_.lock_timeout); !got) return got;
        const detail::sqlite::write_turn turn(**lock);
        auto db = connection::open(
            options_.path,
            {connection::access::create, options_.lock_timeout, options_.reader_cache_kib});
        if (!db) return std::move(db).error();
        return detail::sqlite::ensure_schema(**db);
    }

private:
    const sqlite_options options_;
};

result<void> check(const sqlite_options& options) {
    const std::string_view path = options.path;
    if (path.empty() || path == ":memory:" || path.starts_with("file:") ||
        path.find('\0') != path.npos) {
        return failure{errc::invalid_argument, "path must name a file: '" + options.path + "'"};
    }
    if (options.lock_timeout.count() < 0) {
        return failure{errc::invalid_argument, "lock_timeout is negative"};
    }
    if (options.checkpoint_pages == 0) {
        return failure{errc::invalid_argument, "checkpoint_pages must be at least 1"};
    }
    if (sqlite3_libversion_number() < oldest_sqlite) {
        return failure{errc::not_supported,
                       std::string("SQLite ") + sqlite3_libversion() + " is older than 3.37"};
    }
    if (sqlite3_threadsafe() == 0) {
        return failure{errc::not_supported, "this SQLite is built for a single thread"};
    }
    return {};
}

}  // namespace

result<std::unique_ptr<storage>> open_sqlite(sqlite_options options) {
    if (auto ok = check(options); !ok) return std::move(ok).error();
    auto out = std::make_unique<sqlite_storage>(std::move(options));
    if (auto ready = out->prepare(); !ready) return std::move(ready).error();
    return out;
}

result<sqlite_migration> migrate_sqlite(const sqlite_options& options, bool dry_run) {
    if (auto ok = check(options); !ok) return std::move(ok).error();
    if (::access(options.path.c_str(), F_OK) != 0) {
        return failure{errc::not_found, options.path + ": " + std::strerror(errno)};
    }
    auto lock = detail::sqlite::write_lock::open(options.path + "-lock");
    if (!lock) return std::move(lock).error();
    if (auto got = (*lock)->acquire(options.lock_timeout); !got) return std::move(got).error();
    const detail::sqlite::write_turn turn(**lock);
    auto db = connection::open(
        options.path, {connection::access::alter, options.lock_timeout, options.cache_kib});
    if (!db) return std::move(db).error();
    return detail::sqlite::migrate_schema(**db, dry_run);
}

}  // namespace v1
}  // namespace orderproc
