#ifndef ORDERPROC_STORAGE_SQLITE_SCHEMA_HPP
#define ORDERPROC_STORAGE_SQLITE_SCHEMA_HPP

#include "connection.hpp"

#include <orderproc/error.hpp>

namespace orderproc::detail::sqlite {

inline constexpr int schema_version = 1;

// Creates the schema in an empty file; errc::schema_mismatch if there is another one. The
// caller holds the write lock.
result<void> ensure_schema(connection& db);

}  // namespace orderproc::detail::sqlite

#endif
