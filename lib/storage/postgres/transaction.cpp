#include "storage/postgres/transaction.hpp"

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

result<void> questions::run() {
    const auto handlers = std::exchange(handlers_, {});
    auto answers = db_.run();
    if (!answers) return std::move(answers).error();
    for (std::size_t i = 0; i < handlers.size(); ++i) {
        if (auto done = handlers[i]((*answers)[i]); !done) return done;
    }
    return {};
}

result<void> snapshot_questions::run() {
    tell("COMMIT");
    auto done = questions::run();
    if (!done) db_.roll_back();
    return done;
}

void add_snapshot(questions& to) {
    to.start_afresh();
    to.tell("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

void add_begin(questions& to) {
    to.start_afresh();
    to.tell("BEGIN");
    to.tell(take_write_lock);
}

void give_up(connection& db) {
    const bool locked_out = db.state() == "55P03";
    db.roll_back();
    if (!locked_out || db.lost()) return;
    // A guest holds it by a transaction within its host's, whose id is locked as well.
    db.add(std::string("SELECT pg_terminate_backend(a.pid) FROM write_lock w "
                       "JOIN pg_locks l ON l.locktype = 'transactionid' AND l.granted "
                       "AND l.mode = 'ExclusiveLock' AND l.transactionid = w.xmax "
                       "JOIN pg_stat_activity a ON a.pid = l.pid "
                       "WHERE a.wait_event = 'ClientRead' "
                       "AND a.state_change < clock_timestamp() - interval '2 seconds' "
                       "AND a.application_name <> ") +
           patient_application);
    (void)db.run();  // without the right to, others have to end it
}

result<std::vector<rows>> commit(connection& db) {
    db.add("COMMIT");
    auto answers = db.run();
    if (!answers) {
        failure why = std::move(answers).error();
        if (db.last_is_unknown()) why.code = errc::outcome_unknown;
        db.roll_back();
        return why;
    }
    // The wait for a synchronous standby was cancelled: committed here, and perhaps nowhere else.
    if (db.warned()) return failure{errc::outcome_unknown, db.warning()};
    if (answers->back().tag() != "COMMIT") {
        return failure{errc::unavailable, "PostgreSQL rolled the transaction back"};
    }
    return answers;
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
