#ifndef ORDERPROC_STORAGE_SQLITE_STATEMENT_HPP
#define ORDERPROC_STORAGE_SQLITE_STATEMENT_HPP

// Prepared statements: bind, step and reset, with every code checked.

#include "connection.hpp"

#include <orderproc/order.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct sqlite3_stmt;

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// Bound as a BLOB, not as TEXT.
struct blob {
    explicit blob(std::string_view text) : bytes(text) {}
    explicit blob(std::span<const std::byte> data)
        : bytes(reinterpret_cast<const char*>(data.data()), data.size()) {}
    std::string_view bytes;
};

// The rows of one run. What was bound must live as long; views end with the next next().
class rows {
public:
    rows(connection& db, sqlite3_stmt* running) noexcept : db_(db), running_(running) {}
    ~rows();
    rows(const rows&) = delete;
    rows& operator=(const rows&) = delete;

    bool next();  // false: no more, or the connection failed
    bool is_null(int column) const noexcept;
    std::int64_t integer(int column) const noexcept;
    std::string_view text(int column) const noexcept;  // or the bytes of a BLOB
    timestamp time(int column) const noexcept;
    std::optional<timestamp> time_if_any(int column) const noexcept;

private:
    connection& db_;
    sqlite3_stmt* running_;  // nullptr: nothing to step
};

// Prepared when first used and kept. One run at a time.
class statement {
public:
    statement(connection& db, std::string sql) : db_(db), sql_(std::move(sql)) {}
    ~statement();
    statement(const statement&) = delete;
    statement& operator=(const statement&) = delete;

    // Binds the arguments to ?1, ?2, …
    template <class... Args>
    rows query(const Args&... args) {
        if (!prepare()) return rows(db_, nullptr);
        [[maybe_unused]] int index = 0;
        (bind(++index, args), ...);
        return rows(db_, db_.ok() ? prepared_ : nullptr);
    }

    // The same for a number of arguments that only the caller knows: texts come last.
    rows query_all(std::span<const std::int64_t> integers, std::span<const order_status> texts);

    // Runs to the end and says how many rows it changed.
    template <class... Args>
    std::int64_t run(const Args&... args) {
        return finish(query(args...));
    }

private:
    // SQLite keeps what is bound from run to run, and refers to texts: what is bound already need
    // not be bound again, and it is cheaper to look. So no statement may have a plan that depends
    // on a text, as LIKE ? has.
    struct binding {
        enum class kind : std::uint8_t { none, null, integer, text, blob };
        kind is = kind::none;
        std::int64_t number = 0;  // of a text or blob: its size
        const char* data = nullptr;
        friend bool operator==(const binding&, const binding&) = default;
    };

    bool prepare();
    bool keeps(int index, const binding& value) noexcept;
    void check_bound(int index, int code);
    std::int64_t finish(rows&& all);
    void check(int code) {
        if (code != 0) db_.fail(code);
    }
    void bind(int index, std::int64_t value);
    void bind(int index, std::uint64_t value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, std::uint32_t value) { bind(index, std::int64_t{value}); }
    void bind(int index, bool value) { bind(index, std::int64_t{value}); }
    void bind(int index, std::string_view text);
    void bind(int index, const blob& bytes);
    void bind(int index, timestamp value) { bind(index, value.time_since_epoch().count()); }
    template <class T>
    void bind(int index, const std::optional<T>& value) {
        if (value) {
            bind(index, *value);
        } else {
            bind_null(index);
        }
    }
    void bind_null(int index);

    connection& db_;
    std::string sql_;
    sqlite3_stmt* prepared_ = nullptr;
    std::vector<binding> bound_;  // one for each parameter
};

// Undone unless committed.
class transaction {
public:
    // The statements outlive the transaction.
    transaction(connection& db, statement& begin) : db_(db) { begin.run(); }
    ~transaction();
    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;

    // errc::outcome_unknown: it may be durable or become so; the connection is of no more use.
    result<void> commit(statement& commit);

private:
    connection& db_;
};

// Within a transaction of somebody else's. Undone unless released, also by an exception.
class savepoint {
public:
    explicit savepoint(connection& db);
    ~savepoint();
    savepoint(const savepoint&) = delete;
    savepoint& operator=(const savepoint&) = delete;

    result<void> release();

private:
    connection& db_;
    bool open_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
