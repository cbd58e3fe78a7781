#include "storage/postgres/repository.hpp"

#include "storage/postgres/connecting.hpp"
#include "storage/postgres/epochs.hpp"
#include "storage/postgres/reader.hpp"
#include "storage/postgres/schema.hpp"
#include "storage/postgres/settings.hpp"
#include "storage/postgres/statements.hpp"
#include "storage/postgres/writer.hpp"

#include <chrono>
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
    writer_repository(opened_connection opened, shared_state& shared)
        : reading(std::move(opened.db)), writes_(*db_, opened.timeline, shared) {}

    result<void> write(const write_params& params, write_results& results) override {
        return writes_.write(params, results);
    }
    result<bool> was_applied(std::string_view name, std::uint64_t sequence) override;
    result<void> rotate_epoch(std::uint64_t epoch) override { return begin_epoch(*db_, {epoch}); }

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
        give_up(*db_);
        return std::move(done).error();
    }
    db_->add("SELECT pg_logical_emit_message(true, 'orderproc', '')");
    if (auto done = commit(*db_); !done) {
        return failure{errc::unavailable, std::move(done).error().detail};
    }
    return applied;
}

// Keeps the newest timeline. False: this one is older.
bool is_current(std::atomic<std::int64_t>& newest, std::int64_t timeline) {
    std::int64_t known = newest.load();
    while (known < timeline) {
        if (newest.compare_exchange_weak(known, timeline)) return true;
    }
    return known == timeline;
}

// One statement: an epoch that somebody begins meanwhile is not there yet, and nothing behind it.
// What synchronous_commit is now it stays for this connection, whatever the server is told later.
constexpr const char* present_sql =
    "SELECT position, "
    "set_config('synchronous_commit', current_setting('synchronous_commit'), false), "
    "(current_setting('fsync') = 'on'), "
    "(SELECT timeline FROM epochs ORDER BY id DESC LIMIT 1), "
    "(SELECT coalesce(sum(lost), 0)::bigint FROM epochs), "
    "ARRAY(SELECT epoch FROM epochs ORDER BY id), ARRAY(SELECT first FROM epochs ORDER BY id), "
    "pg_backend_pid()::bigint "
    "FROM writes ORDER BY id DESC LIMIT 1";

result<void> look_around(connection& db, shared_state& shared, opened_connection& out) {
    feed_position seen = shared.seen.newest();
    feed_position newest;
    std::vector<journal_epoch> chain;
    questions about(db);
    about.ask(present_sql, {}, [&](const rows& is) -> result<void> {
        if (is.size() == 0) return failure{errc::corrupt, "the totals are gone"};
        if (is.bytes(0, 1) == "off") return not_synced();
        out.synced = is.integer(0, 2) != 0;
        out.new_timeline = is.integer(0, 3) != out.timeline;
        out.noted_loss = is.natural(0, 4);
        const auto epochs = is.integers(0, 5);
        const auto firsts = is.integers(0, 6);
        if (epochs.empty() || epochs.size() != firsts.size()) {
            return failure{errc::corrupt, "the epochs of the journal are gone"};
        }
        for (std::size_t i = 0; i < epochs.size(); ++i) {
            chain.push_back(
                {static_cast<std::uint64_t>(epochs[i]), static_cast<std::uint64_t>(firsts[i])});
        }
        out.backend = is.integer(0, 7);
        newest = {chain.back().epoch, is.natural(0, 0)};
        return {};
    });
    if (auto done = about.run(); !done) return done;
    std::uint64_t lost = entries_lost(seen, chain, newest.offset);
    while (lost > 0 && !shared.seen.missed(lost, seen, out.timeline, newest)) {
        seen = shared.seen.newest();
        lost = entries_lost(seen, chain, newest.offset);
    }
    return {};
}

failure losses(std::uint64_t entries) {
    return {errc::unavailable,
            "PostgreSQL has lost " + std::to_string(entries) +
                " entries of the journal that were there before: a standby was promoted that did "
                "not have them, or the database was put back. A new epoch of the journal begins"};
}

// What a writer does about a server that is not as it was. errc::unavailable if it has to be told.
result<void> settle(shared_state& shared, const opened_connection& opened) {
    const std::uint64_t lost = shared.seen.lost();
    result<void> done;
    if (opened.new_timeline || lost > 0) done = begin_epoch(*opened.db, {{}, lost});
    if (done && shared.resume_after_loss && opened.noted_loss + lost > 0) {
        done = forget_losses(*opened.db);
    }
    // Whether it was done is seen by whoever connects next.
    if (!done) return failure{errc::unavailable, std::move(done).error().detail};
    if (lost == 0) return {};
    shared.seen.noted();
    return losses(lost);
}

}  // namespace

failure not_synced() {
    return {errc::not_supported,
            "synchronous_commit is off, so a write that was answered could be lost: set it to on "
            "for this database user"};
}

namespace {

result<opened_connection> try_to_connect(shared_state& shared) {
    auto found = connect_to_primary(shared.settings, shared.newest_timeline);
    if (!found) return std::move(found).error();
    connection& db = *found->db;
    if (auto usable = expect_schema(db, shared.schema); !usable) return std::move(usable).error();
    opened_connection out;
    out.timeline = found->timeline;
    if (!is_current(shared.newest_timeline, found->timeline)) {
        return failure{errc::unavailable, "another server was promoted meanwhile"};
    }
    if (auto done = look_around(db, shared, out); !done) return std::move(done).error();
    db.belong_to(found->timeline, shared.newest_timeline);
    out.db = std::move(found->db);
    return out;
}

}  // namespace

result<opened_connection> connect(shared_state& shared) {
    auto out = try_to_connect(shared);
    shared.pause.finish(out ? result<void>() : result<void>(out.error()),
                        std::chrono::steady_clock::now());
    return out;
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
    auto second = connect_to_primary(shared.settings, shared.newest_timeline);
    if (!second) return std::move(second).error();
    std::int64_t other = 0;
    std::int64_t again = 0;
    if (auto done = backend_of(*second->db, other, true); !done) return done;
    if (auto done = backend_of(*first.db, again, false); !done) return done;
    if (other != first.backend && again == first.backend) return {};
    return shared_session();
}

result<std::unique_ptr<repository_reader>> connect_reader(shared_state& shared) {
    if (auto held = shared.pause.begin(std::chrono::steady_clock::now())) return std::move(*held);
    try {
        auto opened = connect(shared);
        if (!opened) return std::move(opened).error();
        return std::make_unique<reading<repository_reader>>(std::move(opened->db));
    } catch (...) {  // or nobody would ever try again
        shared.pause.abandon();
        throw;
    }
}

result<std::unique_ptr<repository>> connect_writer(shared_state& shared) {
    auto opened = connect(shared);
    if (!opened) return std::move(opened).error();
    if (auto settled = settle(shared, *opened); !settled) return std::move(settled).error();
    return std::make_unique<writer_repository>(std::move(*opened), shared);
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
