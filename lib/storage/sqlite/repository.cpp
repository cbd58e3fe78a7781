#include "repository.hpp"

#include "connection.hpp"
#include "continuity.hpp"
#include "epochs.hpp"
#include "reader.hpp"
#include "schema.hpp"
#include "write_lock.hpp"
#include "writer.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

// How long to leave a log alone that readers kept from being copied.
constexpr std::chrono::seconds try_again_after{2};
constexpr std::size_t log_page_size = 4096 + 24;  // with the header of its frame

// The reading methods of a repository, as long as the files are still the ones that were opened.
// Base: repository_reader, or repository for one that writes as well.
template <class Base>
class reading : public Base {
public:
    result<loaded_orders> load(const load_params& params) override {
        return read(&reader::load, params);
    }
    result<order_page> list(const list_params& params) override {
        return read(&reader::list, params);
    }
    result<std::vector<journal_entry>> history(const history_params& params) override {
        return read(&reader::history, params);
    }
    result<feed_page> read_feed(const feed_params& params) override {
        return read(&reader::read_feed, params);
    }
    result<feed_position> find_position(timestamp at) override {
        return read(&reader::find_position, at);
    }
    result<statistics> count() override { return read(&reader::count); }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return read(&reader::find_cursor, name);
    }
    result<std::vector<named_cursor>> list_cursors() override {
        return read(&reader::list_cursors);
    }
    result<std::optional<record>> find_record(const find_record_params& params) override {
        return read(&reader::find_record, params);
    }
    result<record_page> list_records(const list_records_params& params) override {
        return read(&reader::list_records, params);
    }
    result<record_page> list_due_records(const list_due_records_params& params) override {
        return read(&reader::list_due_records, params);
    }

protected:
    // Both are gone after errc::outcome_unknown.
    virtual reader* reads() noexcept = 0;
    virtual file_guard& guard() noexcept = 0;

    static failure broken() {
        return {errc::unavailable, "the outcome of an earlier write is unknown: connect again"};
    }

private:
    template <class T, class... Params>
    T read(T (reader::*method)(Params...), std::common_type_t<Params>... params) {
        reader* const from = reads();
        if (!from) return broken();
        if (auto same = guard().check(); !same) return std::move(same).error();
        return (from->*method)(params...);
    }
};

class reader_repository final : public reading<repository_reader> {
public:
    reader_repository(std::unique_ptr<connection> db, file_guard files)
        : db_(std::move(db)), reader_(*db_), files_(std::move(files)) {}

private:
    reader* reads() noexcept override { return &reader_; }
    file_guard& guard() noexcept override { return files_; }

    std::unique_ptr<connection> db_;
    reader reader_;
    file_guard files_;
};

class writer_repository final : public reading<repository> {
public:
    writer_repository(std::unique_ptr<write_lock> lock, std::unique_ptr<connection> db,
                      const sqlite_options& options, file_guard files)
        : path_(options.path),
          lock_timeout_(options.lock_timeout),
          checkpoint_pages_(options.checkpoint_pages),
          lock_(std::move(lock)),
          files_(std::move(files)),
          open_(std::make_unique<session>(std::move(db))),
          log_peak_(look_at(log_of(path_)).size / log_page_size) {}

    result<void> write(const write_params& params, write_results& results) override;
    result<bool> was_applied(std::string_view name, std::uint64_t sequence) override;
    result<void> rotate_epoch(std::uint64_t epoch) override;
    result<bool> tidy() override;

private:
    struct session {
        explicit session(std::unique_ptr<connection> with)
            : db(std::move(with)), reads(*db), writes(*db) {}
        std::unique_ptr<connection> db;
        reader reads;
        writer writes;
    };

    reader* reads() noexcept override { return open_ ? &open_->reads : nullptr; }
    file_guard& guard() noexcept override { return files_; }
    result<void> begin();
    void mark();
    void copy_if_due(timestamp now);

    const std::string path_;
    const std::chrono::milliseconds lock_timeout_;
    const std::size_t checkpoint_pages_;
    std::unique_ptr<write_lock> lock_;
    file_guard files_;
    std::unique_ptr<session> open_;  // none after errc::outcome_unknown
    std::size_t copied_at_ = 0;      // pages in the log when it was copied last
    timestamp copied_when_;
    std::size_t log_peak_;     // pages that the log may have on the disk
    bool must_empty_ = false;  // what a redaction took out may be in it
};

// The lock is held when it succeeds, and the files are those that were opened.
result<void> writer_repository::begin() {
    if (!open_) return broken();
    if (auto got = lock_->acquire(lock_timeout_); !got) return got;
    auto same = files_.check();
    if (!same) lock_->release();
    return same;
}

result<void> writer_repository::write(const write_params& params, write_results& results) {
    if (auto begun = begin(); !begun) return begun;
    const write_guard guard(*lock_);
    // Before the write and not after it: the answer to what is durable does not wait, and if
    // it fails, then nothing was written.
    copy_if_due(params.now);
    auto done = open_->writes.write(params, results);
    if (done) mark();
    must_empty_ = must_empty_ || (done && open_->writes.redacted());
    if (!done && done.error().code == errc::outcome_unknown) open_.reset();
    return done;
}

void writer_repository::mark() {
    if (open_->writes.appended()) {
        const feed_position newest = open_->writes.newest();
        lock_->set(journal_mark{newest.epoch, newest.offset});
    }
    log_peak_ = std::max(log_peak_, open_->db->log_pages());
    if (const auto salts = open_->db->take_new_salts()) mark_log(*lock_, *salts);
}

// Where readers keep it from copying all, not again before the log has grown as much, or before
// they had the time to leave.
void writer_repository::copy_if_due(timestamp now) {
    const std::size_t pages = open_->db->log_pages();
    if (pages < copied_at_) {  // the log began anew, cut to its limit
        copied_at_ = 0;
        log_peak_ = pages;
    }
    if (pages < checkpoint_pages_) return;
    const auto since = now - copied_when_;
    const bool waits = copied_at_ > 0 && since >= since.zero() && since < try_again_after;
    if (waits && pages < copied_at_ + checkpoint_pages_) return;
    copy_log(*open_->db, *lock_, path_);
    copied_at_ = pages;
    copied_when_ = now;
}

result<bool> writer_repository::tidy() {
    if (!open_ || (!must_empty_ && log_peak_ * log_page_size <= log_size_max)) return false;
    if (auto begun = begin(); !begun) return begun.error();
    const write_guard guard(*lock_);
    const bool emptied = empty_log(*open_->db, *lock_, path_, std::chrono::milliseconds{0});
    if (auto ok = open_->db->finish(); !ok) return std::move(ok).error();
    if (emptied) log_peak_ = copied_at_ = 0;
    if (emptied) must_empty_ = false;
    return !emptied;
}

result<bool> writer_repository::was_applied(std::string_view name, std::uint64_t sequence) {
    if (auto begun = begin(); !begun) return begun.error();
    const write_guard guard(*lock_);
    // After a failed sync what can be read may not be on disk, and what cannot be read may come
    // back with the log after a crash. With the log copied, synced and empty both are settled.
    const bool settled = empty_log(*open_->db, *lock_, path_, lock_timeout_);
    if (auto ok = open_->db->finish(); !ok) return std::move(ok).error();
    if (!settled) return failure{errc::unavailable, "readers keep the log from being emptied"};
    return open_->reads.was_applied(name, sequence);
}

result<void> writer_repository::rotate_epoch(std::uint64_t epoch) {
    if (auto begun = begin(); !begun) return begun;
    const write_guard guard(*lock_);
    const auto done = begin_epoch(*open_->db, epoch);
    if (!done) return done.error();
    const auto newest = newest_position(*open_->db);
    if (!newest) return newest.error();
    lock_->set(journal_mark{newest->epoch, newest->offset});
    return {};
}

// Another file that has the name now is left alone.
result<std::unique_ptr<connection>> open(const sqlite_options& options, const file_id& database,
                                         connection::access how, std::size_t cache_kib) {
    if (look_at(options.path).id != database) return replaced(options.path);
    auto db = connection::open(options.path, {how, options.lock_timeout, cache_kib});
    if (!db) return db;
    (*db)->make_durable();
    if (auto ready = (*db)->finish(); !ready) return std::move(ready).error();
    return db;
}

result<file_guard> guard_over(const std::string& path, const file_id& database) {
    file_guard out(path);
    if (out.database() == database) return out;
    return replaced(path);
}

struct opened_writer {
    std::unique_ptr<connection> db;
    file_guard files;
};

result<opened_writer> open_in_turn(const sqlite_options& options, const file_id& database,
                                   write_lock& lock) {
    if (auto got = lock.acquire(options.lock_timeout); !got) return std::move(got).error();
    const write_guard guard(lock);
    auto db = open(options, database, connection::access::write, options.cache_kib);
    if (!db) return std::move(db).error();
    auto files = guard_over(options.path, database);
    if (!files) return std::move(files).error();
    // An earlier writer may have gone after a failed sync and told nobody. If readers are in
    // the way it is put off to the next checkpoint.
    empty_log(**db, lock, options.path, std::chrono::milliseconds{0});
    if (auto ready = (*db)->finish(); !ready) return std::move(ready).error();
    return opened_writer{std::move(*db), std::move(*files)};
}

}  // namespace

result<std::unique_ptr<repository_reader>> connect_reader(const sqlite_options& options,
                                                          const file_id& database) {
    auto db = open(options, database, connection::access::read, options.reader_cache_kib);
    if (!db) return std::move(db).error();
    auto files = guard_over(options.path, database);
    if (!files) return std::move(files).error();
    return std::make_unique<reader_repository>(std::move(*db), std::move(*files));
}

result<std::unique_ptr<repository_reader>> connect_backup_reader(const std::string& path) {
    auto db =
        connection::open(path, {connection::access::copy, {}, sqlite_options().reader_cache_kib});
    if (!db) return std::move(db).error();
    if (auto known = expect_schema(**db); !known) return std::move(known).error();
    return std::make_unique<reader_repository>(std::move(*db), file_guard(path));
}

result<std::unique_ptr<repository>> connect_writer(const sqlite_options& options,
                                                   const file_id& database) {
    auto lock = write_lock::open(lock_of(options.path));
    if (!lock) return std::move(lock).error();
    auto opened = open_in_turn(options, database, **lock);
    if (!opened) return std::move(opened).error();
    return std::make_unique<writer_repository>(std::move(*lock), std::move(opened->db), options,
                                               std::move(opened->files));
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
