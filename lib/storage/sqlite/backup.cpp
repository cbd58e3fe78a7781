#include "connection.hpp"
#include "epochs.hpp"
#include "new_file.hpp"
#include "repository.hpp"
#include "schema.hpp"
#include "statement.hpp"

#include <orderproc/sqlite.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using namespace detail::sqlite;
using std::chrono::steady_clock;

constexpr int pages_in_part = 1024;
// So little waits to be written to the disk that the log's syncs do not wait for it.
constexpr int parts_in_sync = 4;
constexpr std::chrono::milliseconds rest_max(200);
constexpr std::size_t cache_kib = 2048;

failure not_there(const std::string& path) {
    return {errc::not_found, path + ": " + std::strerror(ENOENT)};
}

// Copies page by page. Both connections are idle before and after.
class page_copy {
public:
    page_copy(connection& from, connection& to, new_file& file) : from_(from), file_(file) {
        it_ = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
        if (!it_) to.fail(sqlite3_errcode(to.handle()));
    }
    ~page_copy() {
        if (it_) sqlite3_backup_finish(it_);
    }
    page_copy(const page_copy&) = delete;
    page_copy& operator=(const page_copy&) = delete;

    // REQUIRES: to has no failure; from is in a transaction, so that what others write meanwhile
    // does not make the copy begin anew.
    result<void> run(const sqlite_backup_options& how) {
        for (int part = 1;; ++part) {
            const auto begin = steady_clock::now();
            const int code = sqlite3_backup_step(it_, pages_in_part);
            if (code == SQLITE_DONE) break;
            if (code != SQLITE_OK) {
                return failure{errc::unavailable,
                               std::string("the copy failed: ") + sqlite3_errstr(code)};
            }
            if (part % parts_in_sync == 0) {
                if (auto synced = file_.sync(); !synced) return synced;
            }
            show(how);
            const auto took = steady_clock::now() - begin;
            std::this_thread::sleep_for(std::min<steady_clock::duration>(took, rest_max));
        }
        show(how);
        if (const int code = sqlite3_backup_finish(std::exchange(it_, nullptr))) {
            return failure{errc::unavailable,
                           std::string("the copy failed: ") + sqlite3_errstr(code)};
        }
        return from_.finish();
    }

private:
    void show(const sqlite_backup_options& how) const {
        if (!how.progress) return;
        const auto all = static_cast<std::uint64_t>(sqlite3_backup_pagecount(it_));
        how.progress(all - static_cast<std::uint64_t>(sqlite3_backup_remaining(it_)), all);
    }

    connection& from_;
    new_file& file_;
    sqlite3_backup* it_ = nullptr;
};

// Its name is a part of the header, as that of the log: a file that says that it has none can be
// read without anything beside it.
result<void> take_log_away(const std::string& path) {
    auto db = connection::open(path, {connection::access::alter, {}, cache_kib});
    if (!db) return std::move(db).error();
    const std::string mode = (*db)->query_text("PRAGMA journal_mode=DELETE");
    if ((*db)->ok() && mode != "delete") {
        (*db)->fail(errc::unavailable, path + " cannot do without a log");
    }
    return (*db)->finish();
}

result<feed_position> copy_pages(const sqlite_options& from, new_file& file,
                                 const sqlite_backup_options& how) {
    auto source = connection::open(
        from.path, {connection::access::read, from.lock_timeout, from.reader_cache_kib});
    if (!source) return std::move(source).error();
    // As a file that is altered, whose pages are written without what lies between their rows.
    auto target = connection::open(file.name(), {connection::access::alter, {}, cache_kib});
    if (!target) return std::move(target).error();
    // A process that is killed meanwhile leaves no copy under its name, so none has to be repaired.
    (*target)->execute("PRAGMA journal_mode=OFF");
    (*target)->execute("PRAGMA synchronous=OFF");
    if (auto ready = (*target)->finish(); !ready) return std::move(ready).error();
    (*source)->execute("BEGIN");
    auto newest = newest_position(**source);
    if (!newest) return newest;
    page_copy copy(**source, **target, file);
    if (auto ready = (*target)->finish(); !ready) return std::move(ready).error();
    if (auto done = copy.run(how); !done) return std::move(done).error();
    (*source)->execute("COMMIT");
    if (auto done = (*source)->finish(); !done) return std::move(done).error();
    return newest;
}

class backup_storage final : public storage {
public:
    explicit backup_storage(std::string path) : path_(std::move(path)) {}

    storage_info info() const override {
        return {"sqlite:" + path_,
                0,
                true,
                {},
                {capability::records, capability::id_lists, capability::due_lists,
                 capability::totals, capability::positions, capability::indexes}};
    }
    result<std::unique_ptr<repository>> connect_writer() override {
        return failure{errc::not_supported, path_ + " is a backup, which is only read"};
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return connect_backup_reader(path_);
    }

private:
    const std::string path_;
};

}  // namespace

namespace detail::sqlite {

result<std::string> resolve_backup(const std::string& path) {
    auto out = resolve(path);
    if (!out) return out;
    if (look_at(*out).id == file_id{}) return not_there(path);
    if (look_at(log_of(*out)).size == 0 && look_at(rollback_of(*out)).size == 0) return out;
    return failure{errc::unavailable,
                   path + " has a log beside it, so it is no backup, or one that was used"};
}

}  // namespace detail::sqlite

result<sqlite_backup_report> backup_sqlite(const sqlite_options& from, const std::string& to,
                                           const sqlite_backup_options& how) {
    sqlite_options options = from;
    auto path = resolve(from.path);
    if (!path) return std::move(path).error();
    options.path = std::move(*path);
    if (look_at(options.path).id == file_id{}) return not_there(from.path);
    const auto target = resolve(to);
    if (!target) return target.error();
    // One of those who use the file, for as long as it takes.
    auto used = open_sqlite(from);
    if (!used) return std::move(used).error();
    auto file = new_file::make(*target, ".part", static_cast<mode_t>(from.file_mode));
    if (!file) return std::move(file).error();
    const auto newest = copy_pages(options, *file, how);
    if (!newest) return newest.error();
    if (auto done = take_log_away(file->name()); !done) return std::move(done).error();
    sqlite_backup_report out{look_at(file->name()).size, *newest};
    if (auto done = file->publish(); !done) return std::move(done).error();
    (void)(*used)->close();  // the source is as others left it, or as good as that
    return out;
}

result<std::unique_ptr<storage>> open_sqlite_backup(const std::string& path) {
    auto resolved = resolve_backup(path);
    if (!resolved) return std::move(resolved).error();
    auto looked = connect_backup_reader(*resolved);
    if (!looked) return std::move(looked).error();
    return std::make_unique<backup_storage>(std::move(*resolved));
}

}  // namespace v1
}  // namespace orderproc
