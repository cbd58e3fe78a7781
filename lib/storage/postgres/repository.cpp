#include "storage/postgres/repository.hpp"

#include "storage/postgres/epochs.hpp"
#include "storage/postgres/reader.hpp"
#include "storage/postgres/schema.hpp"
#include "storage/postgres/settings.hpp"
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

// What synchronous_commit is now it stays for this connection, whatever the server is told later.
const std::string state_sql =
    std::string(
        "SELECT set_config('synchronous_commit', current_setting('synchronous_commit'), false), "
        "(current_setting('fsync') = 'on'), CASE WHEN pg_is_in_recovery() THEN 0 ELSE ") +
    timeline_sql +
    " END, (SELECT timeline FROM epochs ORDER BY id DESC LIMIT 1), "
    "pg_backend_pid()::bigint";

// The answer, unless it shows that the server cannot be used.
struct server_state {
    opened_connection opened;
    std::int64_t timeline = 0;
};
result<server_state> look_at_server(std::unique_ptr<connection> db) {
    result<server_state> out;
    std::string commits;
    questions about(*db);
    about.ask(state_sql, {}, [&](const rows& found) {
        commits = found.bytes(0, 0);
        out->opened.synced = found.integer(0, 1) != 0;
        out->timeline = found.integer(0, 2);
        out->opened.new_timeline = found.integer(0, 3) != out->timeline;
        out->opened.backend = found.integer(0, 4);
        return result<void>();
    });
    if (auto done = about.run(); !done) return std::move(done).error();
    if (out->timeline == 0) {
        return failure{errc::unavailable, "this server is a standby, which takes no writes"};
    }
    if (commits == "off") return not_synced();
    out->opened.db = std::move(db);
    return out;
}

}  // namespace

failure not_synced() {
    return {errc::not_supported,
            "synchronous_commit is off, so a write that was answered could be lost: set it to on "
            "for this database user"};
}

result<opened_connection> connect(shared_state& shared) {
    connection_settings settings = shared.settings;
    const std::size_t hosts = count_hosts(settings);
    for (std::size_t tried = 1;; ++tried) {
        auto db = connection::open(settings);
        if (!db) return std::move(db).error();
        auto usable = expect_schema(**db, shared.schema);
        if (!usable) return std::move(usable).error();
        auto state = look_at_server(std::move(*db));
        if (!state) return std::move(state).error();
        if (is_current(shared.newest_timeline, state->timeline)) return std::move(state->opened);
        // The one that was replaced is still running, and libpq prefers it where it comes first.
        if (tried >= hosts) return too_old(state->timeline, shared.newest_timeline);
        begin_with_next_host(settings);
    }
}

// One connection keeps its session while another one has a transaction open: then no two share
// one. A pooler that gives sessions to transactions gives the second one that of the first, which
// is idle.
result<void> expect_own_session(const shared_state& shared, const opened_connection& first) {
    if (first.db->backend() == first.backend) return {};  // there is no pooler
    const auto backend_of = [](connection& db, std::int64_t& out, bool begin) {
        questions about(db);
        if (begin) about.tell("BEGIN");
        about.ask("SELECT pg_backend_pid()::bigint", {}, [&out](const rows& found) {
            out = found.integer(0, 0);
            return result<void>();
        });
        return about.run();
    };
    auto second = connection::open(shared.settings);
    if (!second) return std::move(second).error();
    std::int64_t other = 0;
    std::int64_t again = 0;
    if (auto done = backend_of(**second, other, true); !done) return done;
    if (auto done = backend_of(*first.db, again, false); !done) return done;
    if (other != first.backend && again == first.backend) return {};
    return shared_session();
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
