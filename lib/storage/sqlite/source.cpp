#include "connection.hpp"
#include "epochs.hpp"
#include "lifetime.hpp"
#include "order_row.hpp"
#include "statement.hpp"
#include "write_lock.hpp"

#include <orderproc/sqlite.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

using namespace detail::sqlite;

constexpr std::int64_t rows_in_part = 1000;

digest digest_of(std::string_view bytes) {
    digest out{};
    const auto* const data = reinterpret_cast<const std::byte*>(bytes.data());
    std::copy_n(data, std::min(bytes.size(), out.size()), out.begin());
    return out;
}

std::uint64_t natural(const rows& from, int column) {
    return static_cast<std::uint64_t>(from.integer(column));
}

// Holds the write lock, and nobody else has the file open.
class sqlite_source final : public storage_source {
public:
    sqlite_source(sqlite_options options, const file_id& file, std::unique_ptr<write_lock> lock,
                  std::unique_ptr<connection> db);
    ~sqlite_source() override;

    result<storage_totals> totals() override;
    result<storage_tally> count() override;
    result<std::optional<storage_part>> next() override;

private:
    void read_orders(storage_part& out);
    void read_entries(storage_part& out);
    void read_keys(storage_part& out);
    void read_names(storage_part& out);
    void read_cursors(storage_part& out);
    void read_records(storage_part& out);

    const sqlite_options options_;
    const file_id file_;
    std::unique_ptr<write_lock> lock_;
    std::unique_ptr<connection> db_;
    statement epochs_, totals_, counts_, orders_, entries_, keys_, names_, cursors_, records_;
    std::vector<journal_epoch> chain_;
    // The last that was given of each.
    std::int64_t order_ = 0, entry_ = 0, key_ = 0, record_ = 0;
    std::string name_;
    bool gave_cursors_ = false;
};

sqlite_source::sqlite_source(sqlite_options options, const file_id& file,
                             std::unique_ptr<write_lock> lock, std::unique_ptr<connection> db)
    : options_(std::move(options)),
      file_(file),
      lock_(std::move(lock)),
      db_(std::move(db)),
      epochs_(*db_, all_epochs),
      totals_(*db_,
              "SELECT last_write_at, last_number, last_position, floor, last_record, completed, "
              "processing_ms FROM totals"),
      counts_(*db_, "SELECT status, orders FROM counts WHERE orders<>0"),
      orders_(*db_, std::string("SELECT ") + stored_order_columns +
                        " FROM orders WHERE number>?1 ORDER BY number LIMIT ?2"),
      entries_(*db_, std::string("SELECT ") + entry_columns +
                         " FROM journal WHERE position>?1 ORDER BY position LIMIT ?2"),
      keys_(*db_,
            "SELECT id, key, body, number, version, at FROM keys WHERE id>?1 ORDER BY id "
            "LIMIT ?2"),
      names_(*db_,
             "SELECT order_id, number FROM tombstones WHERE order_id>?1 ORDER BY order_id "
             "LIMIT ?2"),
      cursors_(*db_, "SELECT name, owner, epoch, position, expires_at, moved_at FROM cursors"),
      records_(*db_,
               "SELECT id, collection, key, value, version, due_at, order_id FROM records "
               "WHERE id>?1 ORDER BY id LIMIT ?2") {}

sqlite_source::~sqlite_source() {
    try {
        (void)leave(options_, file_, *lock_);
    } catch (const std::exception&) {  // without memory the log stays: nothing is lost
    }
    lock_->release();
}

result<storage_totals> sqlite_source::totals() {
    storage_totals out;
    chain_ = detail::sqlite::read_epochs(*db_, epochs_);
    out.epochs = chain_;
    {
        auto found = totals_.query();
        if (found.next()) {
            out.stamp = found.time(0);
            out.number = found.integer(1);
            out.position = natural(found, 2);
            out.floor = natural(found, 3);
            out.record_version = natural(found, 4);
            out.completed = natural(found, 5);
            out.processing_time = std::chrono::milliseconds(found.integer(6));
        } else if (db_->ok()) {
            db_->fail(errc::corrupt, "the totals are gone");
        }
    }
    auto found = counts_.query();
    while (found.next()) {
        out.statuses[read_status(*db_, found.text(0))] = natural(found, 1);
    }
    if (auto done = db_->finish(); !done) return std::move(done).error();
    return out;
}

result<storage_tally> sqlite_source::count() {
    storage_tally out;
    const auto rows_of = [this](const char* sql) {
        return static_cast<std::uint64_t>(db_->query_integer(sql));
    };
    out.orders = rows_of("SELECT count(*) FROM orders");
    out.entries = rows_of("SELECT count(*) FROM journal");
    out.keys = rows_of("SELECT count(*) FROM keys");
    out.names = rows_of("SELECT count(*) FROM tombstones");
    out.cursors = rows_of("SELECT count(*) FROM cursors");
    out.records = rows_of("SELECT count(*) FROM records");
    statement by_status(*db_, "SELECT status, count(*) FROM orders GROUP BY status");
    {
        auto found = by_status.query();
        while (found.next()) {
            out.statuses[read_status(*db_, found.text(0))] = natural(found, 1);
        }
    }
    statement by_currency(*db_,
                          "SELECT currency, count(*), sum(amount/1000000000), "
                          "sum(amount%1000000000) FROM orders GROUP BY currency");
    auto found = by_currency.query();
    while (found.next()) {
        out.amounts[std::string(found.text(0))] = {natural(found, 1), found.integer(2),
                                                   found.integer(3)};
    }
    if (auto done = db_->finish(); !done) return std::move(done).error();
    return out;
}

result<std::optional<storage_part>> sqlite_source::next() {
    storage_part out;
    read_orders(out);
    read_entries(out);
    read_keys(out);
    read_names(out);
    read_cursors(out);
    read_records(out);
    if (auto done = db_->finish(); !done) return std::move(done).error();
    const bool none = out.orders.empty() && out.entries.empty() && out.keys.empty() &&
                      out.names.empty() && out.cursors.empty() && out.records.empty();
    if (none) return std::optional<storage_part>();
    return std::optional(std::move(out));
}

void sqlite_source::read_orders(storage_part& out) {
    auto found = orders_.query(order_, rows_in_part);
    while (found.next()) {
        out.orders.push_back(read_stored_order(*db_, found));
        order_ = out.orders.back().value.number;
    }
}

void sqlite_source::read_entries(storage_part& out) {
    auto found = entries_.query(entry_, rows_in_part);
    while (found.next()) {
        out.entries.push_back(read_entry(*db_, found, chain_));
        entry_ = static_cast<std::int64_t>(out.entries.back().position.offset);
    }
}

void sqlite_source::read_keys(storage_part& out) {
    auto found = keys_.query(key_, rows_in_part);
    while (found.next()) {
        key_ = found.integer(0);
        out.keys.push_back({{digest_of(found.text(1)), digest_of(found.text(2))},
                            found.integer(3),
                            order_version{natural(found, 4)},
                            found.time(5)});
    }
}

void sqlite_source::read_names(storage_part& out) {
    const std::string after = name_;
    auto found = names_.query(std::string_view(after), rows_in_part);
    while (found.next()) {
        name_ = found.text(0);
        out.names.push_back({name_, found.integer(1)});
    }
}

void sqlite_source::read_cursors(storage_part& out) {
    if (std::exchange(gave_cursors_, true)) return;
    auto found = cursors_.query();
    while (found.next()) {
        out.cursors.push_back({std::string(found.text(0)),
                               {{natural(found, 2), natural(found, 3)},
                                std::string(found.text(1)),
                                found.time(4),
                                found.time(5)}});
    }
}

void sqlite_source::read_records(storage_part& out) {
    auto found = records_.query(record_, rows_in_part);
    while (found.next()) {
        record_ = found.integer(0);
        copied_record& it = out.records.emplace_back();
        it.collection = found.text(1);
        it.it.key = found.text(2);
        it.it.value = found.text(3);
        it.it.version = natural(found, 4);
        it.it.due_at = found.time_if_any(5);
        if (!found.is_null(6)) it.it.order = found.text(6);
    }
}

}  // namespace

result<std::unique_ptr<storage_source>> open_sqlite_source(sqlite_options options) {
    const std::string given = options.path;
    auto path = resolve(options.path);
    if (!path) return std::move(path).error();
    options.path = std::move(*path);
    if (look_at(options.path).id == file_id{}) {
        return failure{errc::not_found, given + ": " + std::strerror(ENOENT)};
    }
    std::vector<std::string> remarks;
    auto lock = enter(options, remarks);
    if (!lock) return std::move(lock).error();
    if (auto got = (*lock)->acquire(options.lock_timeout); !got) return std::move(got).error();
    auto db = connection::open(
        options.path, {connection::access::read, options.lock_timeout, options.reader_cache_kib});
    const bool alone = (*lock)->join();
    if (!db || !alone) {
        (*lock)->release();
        if (!db) return std::move(db).error();
        return failure{errc::unavailable, "other processes use " + given + ": stop them first"};
    }
    const file_id file = look_at(options.path).id;
    return std::make_unique<sqlite_source>(std::move(options), file, std::move(*lock),
                                           std::move(*db));
}

}  // namespace v1
}  // namespace orderproc
