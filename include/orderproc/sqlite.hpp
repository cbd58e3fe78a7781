#ifndef ORDERPROC_SQLITE_HPP
#define ORDERPROC_SQLITE_HPP

// Orders in an SQLite file: durable, on a local file system, shared by the processes of
// one host.

#include <orderproc/copy.hpp>
#include <orderproc/repository.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct sqlite3;

namespace orderproc {
inline namespace v1 {

struct sqlite_options {
    std::string path;  // not a URI; not ":memory:"
    // How long a write waits for another process's. Then errc::unavailable.
    std::chrono::milliseconds lock_timeout = std::chrono::seconds(5);
    std::size_t cache_kib = std::size_t{16} * 1024;        // of the writer
    std::size_t reader_cache_kib = std::size_t{2} * 1024;  // of each reader
    // The log grows to this before it is copied back, which holds up writers for a moment.
    std::size_t checkpoint_pages = 16'000;
    // Permissions of the files that it makes, whatever the umask. The log and its index take
    // those of the database.
    unsigned file_mode = 0600;
};

// Opens the file, creating it and an empty schema if there is none. WAL, synchronous=FULL
// (sqlite.org/pragma.html#pragma_synchronous): a write that was answered survives a power cut.
// The write lock of all processes is the file path + "-lock", which must stay beside the database.
// While it is in use, path + "-wal" (at most 64 MiB, unless a reader needs more) and path + "-shm"
// belong to it as well: copy it by SQLite's backup, or after storage::close().
//
// A file that was put back from a copy is noticed, and its journal begins a new epoch
// (journal.hpp); a log that was left beside the file before it is renamed to path +
// "-wal-stale-…", and never written into it. storage_info::remarks says so. Files that are
// removed or replaced while they are in use make every call errc::unavailable.
//
// errc::schema_mismatch if the file has another schema version or is not ours,
// errc::unavailable if it cannot be opened, errc::not_supported if this SQLite is too old.
ORDERPROC_EXPORT result<std::unique_ptr<storage>> open_sqlite(sqlite_options options);

// For a program in which nothing asks SQLite how much memory it uses: without counting that, which
// takes a lock of the process, SQLite allocates faster
// (sqlite.org/c3ref/c_config_covering_index_scan.html, SQLITE_CONFIG_MEMSTATUS). False: something
// in the process uses SQLite already, and it goes on counting. REQUIRES: no other thread uses
// SQLite meanwhile.
ORDERPROC_EXPORT bool disable_sqlite_memory_statistics() noexcept;

struct sqlite_migration {
    int from = 0;  // schema versions; the same: there was nothing to do
    int to = 0;
    std::vector<std::string> steps;  // what each step brings, for people
};

// Brings an older file to this library's schema: all of it, or on failure nothing. A dry run
// does the same and takes it back. Stop the processes of the older version first, and keep a
// copy: there is no way back.
//
// errc::schema_mismatch if the file is newer or not ours, errc::not_found if there is none.
ORDERPROC_EXPORT result<sqlite_migration> migrate_sqlite(const sqlite_options& options,
                                                         bool dry_run = false);

// For copy_storage(). Holds the write lock for as long as it exists: nobody can open the file or
// write to it meanwhile.
//
// errc::unavailable if another process has the file open, errc::not_found if there is none; else as
// open_sqlite().
ORDERPROC_EXPORT result<std::unique_ptr<storage_source>> open_sqlite_source(sqlite_options options);

struct sqlite_backup_report {
    std::uint64_t bytes = 0;  // of the copy
    feed_position newest;     // the last entry of the journal that it holds
};

struct sqlite_backup_options {
    // Called after each part with the pages that were copied, and all of them.
    std::function<void(std::uint64_t pages, std::uint64_t of)> progress = {};
};

// Copies the file as it is at one moment, while others read and write: to a file beside `to` that
// gets this name once it is durable. So there is all of the copy under that name or nothing,
// whenever the process is killed; what it leaves then ("….part") is overwritten by the next backup
// to the same name. The copy has mode from.file_mode, and is one file without a log.
//
// It reads in one transaction (SQLite's backup, sqlite.org/backup.html) and takes no write lock, so
// nobody waits for it; it rests after each part for as long as that took. Until it has ended the
// log of the source keeps what is written meanwhile: see open_sqlite().
//
// errc::not_found: there is no such source; errc::already_exists: `to` is there;
// errc::unavailable: another backup to the same name is under way, or a file cannot be read or
// written. Else as open_sqlite().
ORDERPROC_EXPORT result<sqlite_backup_report> backup_sqlite(const sqlite_options& from,
                                                            const std::string& to,
                                                            const sqlite_backup_options& how = {});

// A copy, to be looked at: it has readers alone (connect_writer(): errc::not_supported), and
// nothing is written, neither to the file nor beside it. Nobody may write to it meanwhile.
// errc::not_found: there is no such file; errc::unavailable: it has a log or a rollback journal
// beside it, and so is no backup. errc::schema_mismatch as open_sqlite().
ORDERPROC_EXPORT result<std::unique_ptr<storage>> open_sqlite_backup(const std::string& path);

// Puts a copy in the place of a file that is not there any more. Until finish() nothing is under
// the file's name, and then all of it is.
class ORDERPROC_EXPORT sqlite_restore {
public:
    // Copies the backup to a file beside to.path, brings it to this library's schema, and opens
    // it. Its journal begins a new epoch. finish() puts it in place, with all that was written to
    // it until then.
    //
    // errc::already_exists: to.path is still there, or the log or rollback journal of a file that
    // was; errc::not_found: there is no such backup; errc::unavailable: the backup has a log or a
    // rollback journal beside it, or a process uses the file that was there. Else as open_sqlite()
    // and migrate_sqlite().
    static result<std::unique_ptr<sqlite_restore>> begin(const std::string& backup,
                                                         const sqlite_options& to);
    // Removes what was not finished.
    ~sqlite_restore();
    sqlite_restore(const sqlite_restore&) = delete;
    sqlite_restore& operator=(const sqlite_restore&) = delete;

    storage& copy() noexcept;
    // Durable when it has succeeded. REQUIRES: all connections to the copy are gone.
    result<void> finish();

private:
    class impl;
    explicit sqlite_restore(std::unique_ptr<impl> it) noexcept;
    std::unique_ptr<impl> impl_;
};

// Changes within the host's own transactions on the same file, so that they happen exactly if the
// host commits:
//
//   const auto guard = guest->lock();  // one writer at a time: see open_sqlite()
//   … BEGIN IMMEDIATE, and the host's own statements …
//   const auto made = guest->apply(lower(create, machine, with).value(), with.time.now());
//   … COMMIT, or ROLLBACK; then destroy the guard and call engine::wake() …
//
// Every transaction of the host that writes to the file needs the write lock, whether or not it
// touches an order. A guest is used by one thread at a time, the one that uses the connection.
class ORDERPROC_EXPORT sqlite_guest {
public:
    // host is open on options.path, outlives the guest (which keeps statements on it: it cannot
    // be closed before), and should be in synchronous=FULL.
    // errc::schema_mismatch as for open_sqlite().
    static result<std::unique_ptr<sqlite_guest>> open(sqlite3* host, const sqlite_options& options);
    ~sqlite_guest();

    // Holds the write lock. Movable; a guard that was moved from holds nothing. It must not outlive
    // its guest.
    class ORDERPROC_EXPORT lock_guard {
    public:
        lock_guard(lock_guard&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
        lock_guard& operator=(lock_guard&&) = delete;
        ~lock_guard();  // releases the lock and tells other processes to look for new entries

    private:
        friend class sqlite_guest;
        explicit lock_guard(sqlite_guest& of) noexcept : of_(&of) {}

        sqlite_guest* of_;
    };
    // Acquires the write lock. errc::unavailable if others held it for options.lock_timeout,
    // errc::invalid_argument if this guest already holds it.
    result<lock_guard> lock();

    // Applies the change as repository::write() would; on failure nothing of it is left. The
    // outcome is final when the host has committed.
    // errc::invalid_argument if the write lock is not held, or no transaction is open.
    // errc::not_supported: a redact_order, for what is deleted may stay in the file if the host's
    // connection is not set to overwrite it.
    result<change_outcome> apply(const change& what, timestamp now);

private:
    class impl;
    explicit sqlite_guest(std::unique_ptr<impl> it) noexcept;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
