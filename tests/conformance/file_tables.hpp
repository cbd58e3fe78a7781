#ifndef ORDERPROC_TESTS_CONFORMANCE_FILE_TABLES_HPP
#define ORDERPROC_TESTS_CONFORMANCE_FILE_TABLES_HPP

// Sorted tables in a file behind kv_transaction, for several processes at a time. SQLite keeps the
// bytes; a lock of the file beside it decides who may write.

#include "connection_kind.hpp"

#include <orderproc/kv.hpp>
#include <orderproc/repository.hpp>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

// One connection.
class file_tables {
public:
    explicit file_tables(const std::string& path) {
        sqlite3* db = nullptr;
        const int rc = sqlite3_open(path.c_str(), &db);
        db_.reset(db);
        lock_ = ::open((path + "-turn").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (rc != SQLITE_OK || lock_ < 0) throw std::runtime_error("cannot open " + path);
        sqlite3_busy_timeout(db, 60'000);
        // What was written survives the process; the tests cut no power.
        run("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
            "CREATE TABLE IF NOT EXISTS rows(t INTEGER, k BLOB, v BLOB, PRIMARY KEY(t, k)) "
            "WITHOUT ROWID");
        get_ = prepare("SELECT v FROM rows WHERE t=?1 AND k=?2");
        put_ = prepare("INSERT OR REPLACE INTO rows VALUES(?1, ?2, ?3)");
        remove_ = prepare("DELETE FROM rows WHERE t=?1 AND k=?2");
        up_ = prepare("SELECT k, v FROM rows WHERE t=?1 AND k>=?2 AND k<?3 ORDER BY k");
        down_ = prepare("SELECT k, v FROM rows WHERE t=?1 AND k>=?2 AND k<?3 ORDER BY k DESC");
    }
    ~file_tables() {
        if (lock_ >= 0) ::close(lock_);
    }
    file_tables(const file_tables&) = delete;
    file_tables& operator=(const file_tables&) = delete;

    void run(const char* sql) {
        if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
            throw std::runtime_error(std::string(sql) + ": " + sqlite3_errmsg(db_.get()));
        }
    }
    void lock() noexcept { ::flock(lock_, LOCK_EX); }
    void unlock() noexcept { ::flock(lock_, LOCK_UN); }

private:
    friend class file_transaction;
    struct closer {
        void operator()(sqlite3* it) const { sqlite3_close(it); }
        void operator()(sqlite3_stmt* it) const { sqlite3_finalize(it); }
    };
    using statement = std::unique_ptr<sqlite3_stmt, closer>;

    statement prepare(const char* sql) {
        sqlite3_stmt* out = nullptr;
        if (sqlite3_prepare_v2(db_.get(), sql, -1, &out, nullptr) != SQLITE_OK) {
            throw std::runtime_error(std::string(sql) + ": " + sqlite3_errmsg(db_.get()));
        }
        return statement(out);
    }

    int lock_ = -1;
    std::unique_ptr<sqlite3, closer> db_;
    statement get_, put_, remove_, up_, down_;
};

class file_transaction : public orderproc::kv_transaction {
public:
    file_transaction(std::shared_ptr<file_tables> in, connection_kind role)
        : in_(std::move(in)), writes_(role == connection_kind::write) {
        if (writes_) in_->lock();
        in_->run(writes_ ? "BEGIN IMMEDIATE" : "BEGIN");
    }
    ~file_transaction() override {
        if (!committed_) sqlite3_exec(in_->db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
        if (writes_) in_->unlock();
    }

    orderproc::result<std::optional<std::string_view>> get(orderproc::kv_table of,
                                                           std::string_view key) override {
        const use it(in_->get_, of, key);
        if (sqlite3_step(it.row) != SQLITE_ROW) return std::optional<std::string_view>();
        found_ = it.text(0);
        return std::optional<std::string_view>(found_);
    }
    orderproc::result<void> put(orderproc::kv_table of, std::string_view key,
                                std::string_view value) override {
        const use it(in_->put_, of, key, value);
        return done(sqlite3_step(it.row));
    }
    orderproc::result<void> remove(orderproc::kv_table of, std::string_view key) override {
        const use it(in_->remove_, of, key);
        return done(sqlite3_step(it.row));
    }
    orderproc::result<void> walk(orderproc::kv_table of, orderproc::kv_range range,
                                 const visitor& visit) override {
        const use it(range.backwards ? in_->down_ : in_->up_, of, range.from, range.until);
        while (sqlite3_step(it.row) == SQLITE_ROW) {
            const std::string key = it.text(0), value = it.text(1);
            if (!visit(key, value)) break;
        }
        return {};
    }
    orderproc::result<void> commit() override {
        in_->run("COMMIT");
        committed_ = true;
        return {};
    }

private:
    // A statement with its parameters, until it is used again.
    struct use {
        use(const file_tables::statement& of, orderproc::kv_table table, std::string_view a,
            std::string_view b = {})
            : row(of.get()) {
            sqlite3_bind_int(row, 1, static_cast<int>(table));
            bind(2, a);
            if (sqlite3_bind_parameter_count(row) > 2) bind(3, b);
        }
        ~use() { sqlite3_reset(row); }
        use(const use&) = delete;
        use& operator=(const use&) = delete;

        void bind(int at, std::string_view value) const {
            const char* bytes = value.empty() ? "" : value.data();
            sqlite3_bind_blob(row, at, bytes, static_cast<int>(value.size()), SQLITE_TRANSIENT);
        }
        std::string text(int column) const {
            const void* bytes = sqlite3_column_blob(row, column);
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
            return size == 0 ? std::string() : std::string(static_cast<const char*>(bytes), size);
        }
        sqlite3_stmt* row;
    };
    static orderproc::result<void> done(int rc) {
        if (rc == SQLITE_DONE) return {};
        return orderproc::failure{orderproc::errc::unavailable, sqlite3_errstr(rc)};
    }

    std::shared_ptr<file_tables> in_;
    const bool writes_;
    bool committed_ = false;
    std::string found_;
};

#endif
