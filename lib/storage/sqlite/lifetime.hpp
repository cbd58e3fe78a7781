#ifndef ORDERPROC_STORAGE_SQLITE_LIFETIME_HPP
#define ORDERPROC_STORAGE_SQLITE_LIFETIME_HPP

// How a process begins and ends with the files of a database. options.path is resolved.

#include "connection.hpp"
#include "files.hpp"
#include "write_lock.hpp"

#include <orderproc/error.hpp>
#include <orderproc/sqlite.hpp>

#include <memory>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// Makes the files and the schema that are not there, and looks whether the database is the one
// that was left. The lock is no longer held, but says that the database is in use. Leaves nothing
// beside a file that is not ours.
result<std::unique_ptr<write_lock>> enter(const sqlite_options& options,
                                          std::vector<std::string>& remarks);

// Brings all that is in the log into the file. REQUIRES: the lock is held, and nobody else has
// the database open.
result<void> leave(const sqlite_options& options, const file_id& database, write_lock& lock);

// See migrate_sqlite(). REQUIRES: the file is there.
result<sqlite_migration> migrate(const sqlite_options& options, bool dry_run);

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
