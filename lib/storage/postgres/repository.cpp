#include "storage/postgres/repository.hpp"

#include "storage/postgres/epochs.hpp"
#include "storage/postgres/reader.hpp"
#include "storage/postgres/schema.hpp"
#include "storage/postgres/statements.hpp"
#include "storage/postgres/writer.hpp"

#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

template <class Base>
class reading : public Base {
public:
    explicit reading(std::unique_ptr<connection> db) : db_(std::move(db)), reads_(*db_) {}

    result<loaded_orders> load(const load_params& params) override { return reads_.load(params); }
    result<order_page> list(const list_params& params) override { return reads_.list(params); }
    result<std::vector<journal_entry>> history(const history_params& params) override {
        return reads_.history(params);
    }
    result<feed_page> read_feed(const feed_params& params) override {
        return reads_.read_feed(params);
    }
    result<feed_position> find_position(timestamp at) override { return reads_.find_position(at); }
    result<statistics> count() override { return reads_.count(); }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return reads_.find_cursor(name);
    }
    result<std::vector<named_cursor>> list_cursors() override { return reads_.list_cursors(); }
    result<std::optional<record>> find_record(const find_record_params& params) override {
        return reads_.find_record(params);
    }
    result<record_page> list_records(const list_records_params& params) override {
        return reads_.list_records(params);
    }
    result<record_page> list_due_records(const list_due_records_params& params) override {
        return reads_.list_due_records(params);
    }

protected:
    std::unique_ptr<connection> db_;

private:
    reader reads_;
};

class writer_repository final : public reading<repository> {
public:
    writer_repository(std::unique_ptr<connection> db, std::chrono::milliseconds clock_skew_max)
        : reading(std::move(db)), writes_(*db_, clock_skew_max) {}

    result<void> write(const write_params& params, write_results& results) override {
        return writes_.write(params, results);
    }
    result<bool> was_applied(std::string_view name, std::uint64_t sequence) override;
    result<void> rotate_epoch(std::uint64_t epoch) override { return begin_epoch(*db_, epoch); }

private:
    writer writes_;
};

// With the write lock nobody is between the two parts of a write: the backend of a client that has
// gone keeps the lock until its transaction has ended, so no is final. And what can be read may not
// be durable yet where its COMMIT was cut short: the commit of this transaction, which writes
// something, waits for all that came before it, so yes is final.
result<bool> writer_repository::was_applied(std::string_view name, std::uint64_t sequence) {
    bool applied = false;
    questions about(*db_);
    add_begin(about);
    about.ask(last_of_writer, parameters::of(name), [&](const rows& last) {
        applied = last.size() > 0 && last.natural(0, 0) == sequence;
        return result<void>();
    });
    if (auto done = about.run(); !done) {
        db_->roll_back();
        return std::move(done).error();
    }
    db_->add("SELECT pg_logical_emit_message(true, 'orderproc', '')");
    if (auto done = commit(*db_); !done) {
        return failure{errc::unavailable, std::move(done).error().detail};
    }
    return applied;
}

failure too_old(std::int64_t timeline, std::int64_t newest) {
    return {errc::unavailable, "this server is on timeline " + std::to_string(timeline) +
                                   ", and another one was promoted to timeline " +
                                   std::to_string(newest) + " since"};
}

// Keeps the newest timeline. False: this one is older.
bool is_current(std::atomic<std::int64_t>& newest, std::int64_t timeline) {
    std::int64_t known = newest.load();
    while (known < timeline) {
        if (newest.compare_exchange_weak(known, timeline)) return true;
    }
    return known == timeline;
}

}  // namespace

result<opened_connection> connect(shared_state& shared) {
    auto db = connection::open(shared.settings);
    if (!db) return std::move(db).error();
    if (auto usable = expect_schema(**db, shared.schema); !usable) return std::move(usable).error();
    opened_connection out;
    std::int64_t timeline = 0;
    questions about(**db);
    about.ask(std::string("SELECT current_setting('synchronous_commit'), "
                          "(current_setting('fsync') = 'on'), ") +
                  timeline_sql + ", (SELECT timeline FROM epochs ORDER BY id DESC LIMIT 1)",
              {}, [&](const rows& found) {
                  out.synchronous_commit = found.bytes(0, 0);
                  out.synced = found.integer(0, 1) != 0;
                  timeline = found.integer(0, 2);
                  out.new_timeline = found.integer(0, 3) != timeline;
                  return result<void>();
              });
    if (auto done = about.run(); !done) return std::move(done).error();
    if (out.synchronous_commit == "off") {
        return failure{errc::not_supported,
                       "synchronous_commit is off, so a write that was answered could be lost: "
                       "set it to on for this database user"};
    }
    if (!is_current(shared.newest_timeline, timeline)) {
        return too_old(timeline, shared.newest_timeline);
    }
    out.db = std::move(*db);
    return out;
}

result<std::unique_ptr<repository_reader>> connect_reader(shared_state& shared) {
    auto opened = connect(shared);
    if (!opened) return std::move(opened).error();
    return std::make_unique<reading<repository_reader>>(std::move(opened->db));
}

result<std::unique_ptr<repository>> connect_writer(shared_state& shared) {
    auto opened = connect(shared);
    if (!opened) return std::move(opened).error();
    if (opened->new_timeline) {
        auto begun = begin_epoch(*opened->db, {});
        // Whether it was begun is seen by whoever connects next.
        if (!begun) return failure{errc::unavailable, std::move(begun).error().detail};
    }
    return std::make_unique<writer_repository>(std::move(opened->db), shared.clock_skew_max);
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
