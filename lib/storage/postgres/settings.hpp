#ifndef ORDERPROC_STORAGE_POSTGRES_SETTINGS_HPP
#define ORDERPROC_STORAGE_POSTGRES_SETTINGS_HPP

// From the options to what a connection is told.

#include "storage/postgres/connection.hpp"

#include <orderproc/postgres.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// errc::invalid_argument, with a detail that names the option and has no secret.
result<void> check(const postgres_options& options);
result<connection_settings> settings_of(const postgres_options& options);

// After so long, the server ends a transaction that has the write lock and does nothing.
std::chrono::milliseconds hang_max(const postgres_options& options);
// Settings of the server's under which the statements of a write run.
std::vector<keyword> write_settings(const postgres_options& options);

// For people: "postgresql:db1,db2/shop". Without a user or a password.
std::string name_of(const connection_settings& settings);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
