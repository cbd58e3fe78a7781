#ifndef ORDERPROC_STORAGE_POSTGRES_TRANSACTION_HPP
#define ORDERPROC_STORAGE_POSTGRES_TRANSACTION_HPP

// Statements with somebody who wants each answer, and the two ends of a transaction that writes.

#include "storage/postgres/connection.hpp"

#include <functional>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

class questions {
public:
    using handler = std::function<result<void>(const rows&)>;

    explicit questions(connection& db) : db_(db) { db_.discard(); }

    void ask(std::string_view sql, parameters with, handler then) {
        db_.add(sql, std::move(with));
        handlers_.push_back(std::move(then));
    }
    void tell(std::string_view sql, parameters with = {}) {
        ask(sql, std::move(with), [](const rows&) { return result<void>(); });
    }
    // A transaction that somebody has left without memory to go on is no longer open.
    void start_afresh() { db_.start_afresh(); }

    // Sends all of them, and gives the answers to the handlers, in order. Stops at the first
    // failure.
    result<void> run();

protected:
    connection& db_;

private:
    std::vector<handler> handlers_;
};

// Begins a transaction that reads: one snapshot for all statements up to its COMMIT.
void add_snapshot(questions& to);

// Questions about one snapshot, in a transaction of their own.
class snapshot_questions : public questions {
public:
    explicit snapshot_questions(connection& db) : questions(db) { add_snapshot(*this); }

    // Ends the transaction, whatever it answers.
    result<void> run();
};

// What comes after it, in a transaction, sees all that was written before.
inline constexpr const char* take_write_lock = "SELECT 1 FROM write_lock WHERE id=1 FOR UPDATE";
// Begins a transaction that has the write lock.
void add_begin(questions& to);

// Ends a transaction that failed before its commit. If it did not get the write lock in time, and
// the client that has it has sent nothing for two seconds, that client loses its connection: it
// hangs in the middle of its write, where idle_in_transaction_session_timeout does not count.
void give_up(connection& db);
// Unless it calls itself so.
inline constexpr const char* patient_application = "'orderproc copy'";

// Sends what was added and a COMMIT. The transaction has ended, whatever this answers.
// errc::outcome_unknown: it may or may not have been committed, or not as durably as it should be.
result<std::vector<rows>> commit(connection& db);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
