#ifndef ORDERPROC_STORAGE_SQLITE_CONTINUITY_HPP
#define ORDERPROC_STORAGE_SQLITE_CONTINUITY_HPP

// Is the database that is about to be opened the one that was left, or was it put back from a
// copy since? The lock file says how the last process left it (write_lock.hpp).

#include "connection.hpp"
#include "write_lock.hpp"

#include <orderproc/error.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// REQUIRES of all: the write lock is held. Of the first two: nobody else has the database open.

// Before SQLite looks at the log. A log that belongs to the file that was there before is moved
// out of the way, since SQLite would write it into the file that is there now; remarks say so.
// True: the database is not the file that was left.
//
// errc::unavailable: it cannot be told whether the log belongs to it. The text says what to do.
result<bool> part_from_stale_log(const std::string& path, const write_lock& lock,
                                 std::vector<std::string>& remarks);

// After that, with the schema in place. Begins a new epoch if the file is another, or has less
// of the journal than the one that was left, and marks it as ours.
enum class origin : std::uint8_t { made_now, left_so, other_file };
result<void> continue_journal(connection& db, write_lock& lock, const std::string& path,
                              origin from, std::vector<std::string>& remarks);

// Copies what it can from the log to the file without waiting for anybody.
void copy_log(connection& db, write_lock& lock, const std::string& path);
// Copies everything and empties the log. Waits for readers; false if they do not go away.
bool empty_log(connection& db, write_lock& lock, const std::string& path,
               std::chrono::milliseconds wait);
// The log began anew, with these salts (log_file.hpp).
void mark_log(write_lock& lock, std::uint64_t salts) noexcept;

// A host that checkpoints in its own transactions: until end_write() the times of the file say
// nothing. end_write() tells those who watch, whether or not the host committed anything.
void begin_write(write_lock& lock) noexcept;
void end_write(connection& db, write_lock& lock, const std::string& path);

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
