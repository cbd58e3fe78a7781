#include "repository.hpp"

#include "connection.hpp"
#include "reader.hpp"
#include "write_lock.hpp"
#include "writer.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace orderproc::detail::sqlite {

namespace {

class reader_repository final : public repository {
public:
    explicit reader_repository(std::unique_ptr<connection> db)
        : db_(std::move(db)), reader_(*db_) {}

    result<void> write(const write_params&, write_results&) override {
        return failure{errc::not_supported, "a reader does not write"};
    }
    result<bool> was_applied(std::string_view, std::uint64_t) override {
        return failure{errc::not_supported, "a reader cannot know what is durable"};
    }
    result<loaded_orders> load(const load_params& params) override { return reader_.load(params); }
    result<order_page> list(const list_params& params) override { return reader_.list(params); }
    result<std::vector<journal_entry>> history(const history_params& params) override {
        return reader_.history(params);
    }
    result<feed_page> read_feed(const feed_params& params) override {
        return reader_.read_feed(params);
    }
    result<statistics> count() override { return reader_.count(); }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return reader_.find_cursor(name);
    }
    result<std::vector<named_cursor>> list_cursors() override { return reader_.list_cursors(); }

private:
    std::unique_ptr<connection> db_;
    reader reader_;
};

class writer_repository final : public repository {
public:
    writer_repository(std::unique_ptr<write_lock> lock, std::unique_ptr<connection> db,
                      const sqlite_options& options)
        : lock_timeout_(options.lock_timeout),
          checkpoint_pages_(options.checkpoint_pages),
          lock_(std::move(lock)),
          open_(std::make_unique<session>(std::move(db))) {}

    result<void> write(const write_params& params, write_results& results) override;
    result<bool> was_applied(std::string_view name, std::uint64_t sequence) override;

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
    result<statistics> count() override { return read(&reader::count); }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return read(&reader::find_cursor, name);
    }
    result<std::vector<named_cursor>> list_cursors() override {
        return read(&reader::list_cursors);
    }

private:
    struct session {
        explicit session(std::unique_ptr<connection> with)
            : db(std::move(with)), reads(*db), writes(*db) {}
        std::unique_ptr<connection> db;
        reader reads;
        writer writes;
    };

    template <class T, class... Params>
    T read(T (reader::*method)(Params...), std::common_type_t<Params>... params) {
        if (!open_) return broken();
        return (open_->reads.*method)(params...);
    }
    static failure broken() {
        return {errc::unavailable, "the outcome of an earlier write is unknown: connect again"};
    }
    void checkpoint_if_due();

    const std::chrono::milliseconds lock_timeout_;
    const std::size_t checkpoint_pages_;
    std::unique_ptr<write_lock> lock_;
    std::unique_ptr<session> open_;  // none after errc::outcome_unknown
    std::size_t log_pages_seen_ = 0;
};

result<void> writer_repository::write(const write_params& params, write_results& results) {
    if (!open_) return broken();
    if (auto got = lock_->acquire(lock_timeout_); !got) return got;
    const write_turn turn(*lock_);
    // Before the write and not after it: the answer to what is durable does not wait, and if
    // it fails, then nothing was written.
    checkpoint_if_due();
    auto done = open_->writes.write(params, results);
    if (done && open_->writes.appended()) lock_->touch();
    if (!done && done.error().code == errc::outcome_unknown) open_.reset();
    return done;
}

// Where readers keep it from copying all, not again before the log has grown as much.
void writer_repository::checkpoint_if_due() {
    const std::size_t pages = open_->db->log_pages();
    if (pages < log_pages_seen_) log_pages_seen_ = 0;  // the log began anew
    if (pages < log_pages_seen_ + checkpoint_pages_) return;
    open_->db->checkpoint();
    log_pages_seen_ = pages;
}

result<bool> writer_repository::was_applied(std::string_view name, std::uint64_t sequence) {
    if (!open_) return broken();
    if (auto got = lock_->acquire(lock_timeout_); !got) return std::move(got).error();
    const write_turn turn(*lock_);
    // After a failed sync what can be read may not be on disk, and what cannot be read may come
    // back with the log after a crash. With the log copied, synced and empty both are settled.
    const bool settled = open_->db->checkpoint_and_truncate(lock_timeout_);
    if (auto ok = open_->db->finish(); !ok) return std::move(ok).error();
    if (!settled) return failure{errc::unavailable, "readers keep the log from being emptied"};
    return open_->reads.was_applied(name, sequence);
}

result<std::unique_ptr<connection>> open(const sqlite_options& options, connection::access how,
                                         std::size_t cache_kib) {
    auto db = connection::open(options.path, {how, options.lock_timeout, cache_kib});
    if (!db) return db;
    (*db)->make_durable();
    if (auto ready = (*db)->finish(); !ready) return std::move(ready).error();
    return db;
}

}  // namespace

result<std::unique_ptr<repository>> connect_reader(const sqlite_options& options) {
    auto db = open(options, connection::access::read, options.reader_cache_kib);
    if (!db) return std::move(db).error();
    return std::make_unique<reader_repository>(std::move(*db));
}

result<std::unique_ptr<repository>> connect_writer(const sqlite_options& options) {
    auto lock = write_lock::open(options.path + "-lock");
    if (!lock) return std::move(lock).error();
    if (auto got = (*lock)->acquire(options.lock_timeout); !got) return std::move(got).error();
    const write_turn turn(**lock);
    auto db = open(options, connection::access::write, options.cache_kib);
    if (!db) return std::move(db).error();
    // An earlier writer may have gone after a failed sync and told nobody. If readers are in
    // the way it is put off to the next checkpoint.
    (*db)->checkpoint_and_truncate(std::chrono::milliseconds{0});
    if (auto ready = (*db)->finish(); !ready) return std::move(ready).error();
    return std::make_unique<writer_repository>(std::move(*lock), std::move(*db), options);
}

}  // namespace orderproc::detail::sqlite
