#ifndef ORDERPROC_POSTGRES_HPP
#define ORDERPROC_POSTGRES_HPP

// Orders in a PostgreSQL database: durable, and shared by the processes of any number of hosts.

#include <orderproc/copy.hpp>
#include <orderproc/repository.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pg_conn;  // PGconn of libpq

namespace orderproc {
inline namespace v1 {

struct postgres_options {
    // A connection string or URI of libpq (postgresql.org/docs/15/libpq-connect.html), also of
    // several hosts: "postgresql://orders@db1,db2/shop". Unless it says otherwise, beyond a Unix
    // socket or the loopback interface the server must prove who it is (sslmode=verify-full), a
    // host gets 5 seconds to connect, and a host that does not answer for 10 seconds is given up.
    // Among several hosts the one that accepts writes is used, by readers as well.
    std::string connection;
    // Where the tables are: 1 to 63 bytes without NUL.
    std::string schema = "orderproc";
    // How long a write waits for another one of any process. Then errc::unavailable. At least 1 ms.
    // A writer that has the write lock and sends nothing for two fifths of it, or 2 seconds if that
    // is longer, loses its connection.
    std::chrono::milliseconds lock_timeout = std::chrono::seconds(5);
    // How long a call waits for the database to answer. Then the connection counts as lost.
    // Longer than lock_timeout.
    std::chrono::milliseconds answer_timeout = std::chrono::seconds(30);
    // How far the clock of a writer may be from that of the database, ahead or behind. Beyond it
    // its writes are errc::unavailable. 0: the clocks are not compared. At most a quarter of the
    // shortest lease keeps leases safe from it.
    std::chrono::milliseconds clock_skew_max = std::chrono::seconds(2);
    // Says that workers may go on after entries of the journal were lost: see open_postgres().
    bool resume_after_loss = false;
};

// Opens the storage that migrate_postgres() has made in the database. All processes that use it
// write one after the other, in the order in which they get the write lock, which is the row of the
// table write_lock. A write takes two round trips to the database, whatever is in it.
//
// The database user needs the rights to use the schema, to read and change the rows of its tables,
// and nothing else. Writes are as durable as the server's setting of synchronous_commit makes
// them. It must not be off: errc::not_supported.
//
// A server that was promoted from a standby is noticed when it is connected to: the journal begins
// a new epoch. From then on a server of an earlier timeline is refused (errc::unavailable), and
// connections to it count as lost.
//
// If the promoted server lacks entries of the journal that this process has seen, the next
// connect_writer() fails once with errc::unavailable, for people to see, and notes it in the
// database. From then on claims are given nothing in any process, and say why once a minute
// (errc::unavailable): orders may be in an earlier status than they were, and what was done could
// be done again. A storage that is opened with resume_after_loss ends the pause for all when it
// connects its next writer, and never pauses itself.
//
// errc::schema_mismatch if there is no such schema or it has another version,
// errc::unavailable if the database cannot be reached, errc::not_supported if a right is missing or
// the server is too old: PostgreSQL 14 or later. errc::invalid_argument if an option cannot be
// used.
ORDERPROC_EXPORT result<std::unique_ptr<storage>> open_postgres(postgres_options options);

struct postgres_migration {
    int from = 0;  // schema versions; 0: there was none. The same: there was nothing to do
    int to = 0;
    std::vector<std::string> steps;  // what each step brings, for people
};

struct postgres_migrate_options {
    bool create = false;   // make the schema if there is none; else errc::not_found
    bool dry_run = false;  // do the same and take it back
};

// Brings the schema to this library's version: all of it, or on failure nothing. The database user
// must own the schema, or may create it.
//
// errc::schema_mismatch if it is of a newer version; else as open_postgres().
ORDERPROC_EXPORT result<postgres_migration> migrate_postgres(
    const postgres_options& options, const postgres_migrate_options& how = {});

// How far the server is set up for backups of its own: pg_basebackup with archived logs, or a
// standby. What pg_dump and tools on other machines do does not show.
struct postgres_backup_facts {
    std::string version;                        // "15.8"
    std::string database;                       // its name
    bool archives = false;                      // archive_mode is on
    std::optional<timestamp> archived_at = {};  // the latest piece of the log
    std::optional<timestamp> failed_at = {};    // the latest failure to archive one
    std::uint64_t standbys = 0;                 // connected ones, as far as the user may see them
};

// Errors as open_postgres().
ORDERPROC_EXPORT result<postgres_backup_facts> look_at_postgres_backups(
    const postgres_options& options);

// For copy_storage(): into the schema that migrate_postgres() has made and nobody has used yet.
// From begin() on the write lock is held. Errors as open_postgres().
ORDERPROC_EXPORT result<std::unique_ptr<storage_target>> open_postgres_target(
    postgres_options options);

// Changes within the host's own transactions on the same database, so that they happen exactly if
// the host commits:
//
//   … BEGIN, and the host's own statements …
//   const auto made = guest->apply(lower(create, machine, with).value(), with.time.now());
//   … COMMIT, or ROLLBACK; then call engine::wake() …
//
// From apply() to the end of the transaction the host has the write lock, and nobody else writes.
// So apply() comes last, and nothing that may take long comes after it: if the host does nothing
// for 2 seconds, the server ends its session (idle_in_transaction_session_timeout, until then).
// A guest is used by one thread at a time, the one that uses the connection.
class ORDERPROC_EXPORT postgres_guest {
public:
    // host is connected, in no transaction, not in pipeline mode, and outlives the guest, which
    // prepares statements on it: do not deallocate them. options.connection is not used.
    // Errors as open_postgres(); errc::invalid_argument if the host is in the middle of something.
    static result<std::unique_ptr<postgres_guest>> open(pg_conn* host,
                                                        const postgres_options& options);
    ~postgres_guest();

    // Applies the change as repository::write() would; on failure nothing of it is left, and the
    // transaction can go on. Settings and search_path of the host are the same afterwards. The
    // outcome is final when the host has committed. A COMMIT with a warning, or without an answer,
    // may or may not have become durable: give the change an idempotency key, and do it again.
    //
    // errc::invalid_argument if no transaction is open, or it is not READ COMMITTED.
    // errc::not_supported if synchronous_commit is off in it. errc::unavailable if others kept the
    // write lock for options.lock_timeout, if the clocks differ, or if the connection is lost; then
    // it can only be closed.
    result<change_outcome> apply(const change& what, timestamp now);

private:
    class impl;
    explicit postgres_guest(std::unique_ptr<impl> it) noexcept;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
