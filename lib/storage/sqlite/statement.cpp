#include "statement.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

rows::~rows() {
    if (!running_) return;
    if (const int code = sqlite3_reset(running_)) db_.fail(code);
}

bool rows::next() {
    if (!running_ || !db_.ok()) return false;
    errno = 0;  // what a failure is due to: see connection::fail()
    const int code = sqlite3_step(running_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) db_.fail(code);
    return false;
}

bool rows::is_null(int column) const noexcept {
    return sqlite3_column_type(running_, column) == SQLITE_NULL;
}

std::int64_t rows::integer(int column) const noexcept {
    return sqlite3_column_int64(running_, column);
}

std::string_view rows::text(int column) const noexcept {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(running_, column));
    if (!data) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(running_, column))};
}

timestamp rows::time(int column) const noexcept {
    return timestamp{std::chrono::milliseconds{integer(column)}};
}

std::optional<timestamp> rows::time_if_any(int column) const noexcept {
    if (is_null(column)) return std::nullopt;
    return time(column);
}

statement::~statement() {
    sqlite3_finalize(prepared_);  // repeats what the last step said
}

bool statement::prepare() {
    if (!db_.ok()) return false;
    if (prepared_) return true;
    sqlite3_stmt* made = nullptr;
    check(sqlite3_prepare_v3(db_.handle(), sql_.c_str(), static_cast<int>(sql_.size() + 1),
                             SQLITE_PREPARE_PERSISTENT, &made, nullptr));
    if (!db_.ok()) return false;
    try {
        bound_.resize(static_cast<std::size_t>(sqlite3_bind_parameter_count(made)));
    } catch (...) {  // no memory: the next use prepares it again
        sqlite3_finalize(made);
        throw;
    }
    prepared_ = made;
    return true;
}

rows statement::query_all(std::span<const std::int64_t> integers,
                          std::span<const order_status> texts) {
    if (!prepare()) return rows(db_, nullptr);
    int index = 0;
    for (const std::int64_t value : integers) bind(++index, value);
    for (const order_status& value : texts) bind(++index, value.view());
    return rows(db_, db_.ok() ? prepared_ : nullptr);
}

std::int64_t statement::finish(rows&& all) {
    while (all.next()) {
    }
    return db_.ok() ? sqlite3_changes64(db_.handle()) : 0;
}

// Whether this is bound already. If not, it counts as bound from now on.
inline bool statement::keeps(int index, const binding& value) noexcept {
    const auto at = static_cast<std::size_t>(index) - 1;
    if (at >= bound_.size()) return false;  // SQLite refuses it
    binding& bound = bound_[at];
    if (bound == value) return true;
    bound = value;
    return false;
}

inline void statement::check_bound(int index, int code) {
    if (code == SQLITE_OK) return;
    const auto at = static_cast<std::size_t>(index) - 1;
    if (at < bound_.size()) bound_[at] = {};
    db_.fail(code);
}

void statement::bind(int index, std::int64_t value) {
    if (keeps(index, {binding::kind::integer, value, nullptr})) return;
    check_bound(index, sqlite3_bind_int64(prepared_, index, value));
}

void statement::bind(int index, std::string_view text) {
    const char* const data = text.empty() ? "" : text.data();
    if (keeps(index, {binding::kind::text, static_cast<std::int64_t>(text.size()), data})) return;
    check_bound(index, sqlite3_bind_text64(prepared_, index, data, text.size(), SQLITE_STATIC,
                                           SQLITE_UTF8));
}

void statement::bind(int index, const blob& value) {
    const char* const data = value.bytes.empty() ? "" : value.bytes.data();
    const auto size = static_cast<std::int64_t>(value.bytes.size());
    if (keeps(index, {binding::kind::blob, size, data})) return;
    check_bound(index,
                sqlite3_bind_blob64(prepared_, index, data, value.bytes.size(), SQLITE_STATIC));
}

void statement::bind_null(int index) {
    if (keeps(index, {binding::kind::null, 0, nullptr})) return;
    check_bound(index, sqlite3_bind_null(prepared_, index));
}

transaction::~transaction() {
    // Without a statement of ours: a failure sticks, and SQLite may have rolled back already.
    if (sqlite3_get_autocommit(db_.handle()) == 0) {
        sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

savepoint::savepoint(connection& db) : db_(db) {
    db_.execute("SAVEPOINT orderproc");
    open_ = db_.ok();
}

savepoint::~savepoint() {
    // Not by way of the connection, whose failure sticks.
    if (!open_) return;
    sqlite3_exec(db_.handle(), "ROLLBACK TO orderproc; RELEASE orderproc", nullptr, nullptr,
                 nullptr);
}

result<void> savepoint::release() {
    db_.execute("RELEASE orderproc");
    open_ = !db_.ok();
    return db_.finish();
}

result<void> transaction::commit(statement& commit) {
    if (auto ready = db_.finish(); !ready) return ready;
    commit.run();
    auto done = db_.finish();
    if (done || (db_.sqlite_code() & 0xff) == SQLITE_BUSY) return done;
    return failure{errc::outcome_unknown, std::move(done).error().detail};
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
