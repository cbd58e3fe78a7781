#include "files.hpp"
#include "lifetime.hpp"
#include "repository.hpp"
#include "schema.hpp"
#include "watch.hpp"
#include "write_lock.hpp"

#include <orderproc/sqlite.hpp>

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

using detail::sqlite::file_id;
using detail::sqlite::lock_of;
using detail::sqlite::write_guard;
using detail::sqlite::write_lock;

// STRICT tables came with 3.37.
constexpr int oldest_sqlite = 3037000;

class sqlite_storage final : public storage {
public:
    sqlite_storage(sqlite_options options, std::string name)
        : options_(std::move(options)), name_(std::move(name)) {}
    ~sqlite_storage() override {
        try {
            (void)close();
        } catch (const std::exception&) {  // without memory the log stays: nothing is lost
        }
    }

    storage_info info() const override {
        return {"sqlite:" + name_,
                1,
                true,
                remarks_,
                {capability::epochs, capability::records, capability::purge, capability::id_lists,
                 capability::due_lists, capability::totals, capability::positions,
                 capability::indexes, capability::redaction}};
    }

    result<std::unique_ptr<repository>> connect_writer() override {
        return detail::sqlite::connect_writer(options_, file_);
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return detail::sqlite::connect_reader(options_, file_);
    }

    result<std::unique_ptr<commit_watch>> watch() override {
        return detail::sqlite::watch_lock_file(lock_of(options_.path));
    }

    result<void> close() override {
        if (!lock_) return {};
        const auto lock = std::exchange(lock_, nullptr);
        if (auto got = lock->acquire(options_.lock_timeout); !got) return got;
        const write_guard guard(*lock);
        // The others are not done with the log yet, and the last of them will see to it.
        if (!lock->join()) return {};
        return detail::sqlite::leave(options_, file_, *lock);
    }

    result<void> prepare() {
        auto entered = detail::sqlite::enter(options_, remarks_);
        if (!entered) return std::move(entered).error();
        lock_ = std::move(*entered);
        file_ = detail::sqlite::look_at(options_.path).id;
        return {};
    }

private:
    const sqlite_options options_;
    const std::string name_;  // as it was given
    std::vector<std::string> remarks_;
    file_id file_;
    std::unique_ptr<write_lock> lock_;  // says that the database is in use; none once closed
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
    if (options.file_mode > 0777 || (options.file_mode & 0600) != 0600) {
        return failure{errc::invalid_argument,
                       "file_mode must let the owner read and write, and have nothing beyond 0777"};
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
    auto path = detail::sqlite::resolve(options.path);
    if (!path) return std::move(path).error();
    std::string name = std::exchange(options.path, std::move(*path));
    auto out = std::make_unique<sqlite_storage>(std::move(options), std::move(name));
    if (auto ready = out->prepare(); !ready) return std::move(ready).error();
    return out;
}

bool disable_sqlite_memory_statistics() noexcept {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK;
}

result<sqlite_migration> migrate_sqlite(const sqlite_options& given, bool dry_run) {
    if (auto ok = check(given); !ok) return std::move(ok).error();
    auto path = detail::sqlite::resolve(given.path);
    if (!path) return std::move(path).error();
    sqlite_options options = given;
    options.path = std::move(*path);
    if (detail::sqlite::look_at(options.path).id == file_id{}) {
        return failure{errc::not_found, given.path + ": " + std::strerror(ENOENT)};
    }
    return detail::sqlite::migrate(options, dry_run);
}

}  // namespace v1
}  // namespace orderproc
