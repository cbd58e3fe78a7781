#ifndef ORDERPROC_STORAGE_SQLITE_SCHEMA_HPP
#define ORDERPROC_STORAGE_SQLITE_SCHEMA_HPP

#include "connection.hpp"

#include <orderproc/error.hpp>
#include <orderproc/sqlite.hpp>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

inline constexpr int schema_version = 8;

// Creates the schema in an empty file; errc::schema_mismatch if there is another one. The
// caller holds the write lock.
result<void> ensure_schema(connection& db);

// errc::schema_mismatch unless there is one of this version.
result<void> expect_schema(connection& db);

// Brings the file of an older version to this one: see migrate_sqlite().
result<sqlite_migration> migrate_schema(connection& db, bool dry_run);

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
