#ifndef ORDERPROC_STORAGE_POSTGRES_SCHEMA_HPP
#define ORDERPROC_STORAGE_POSTGRES_SCHEMA_HPP

#include "storage/postgres/connection.hpp"

#include <orderproc/postgres.hpp>

#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

#ifdef ORDERPROC_TEST_NEXT_SCHEMA  // tests/integration/postgres_upgrade_test.py
inline constexpr int schema_version = 2;
#else
inline constexpr int schema_version = 1;
#endif

// errc::schema_mismatch unless this library can use what is there, errc::not_supported if this
// database user cannot.
result<void> expect_schema(connection& db, const std::string& schema);

// See migrate_postgres().
result<postgres_migration> migrate_schema(connection& db, const std::string& schema,
                                          const postgres_migrate_options& how);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
