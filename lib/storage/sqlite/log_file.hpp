#ifndef ORDERPROC_STORAGE_SQLITE_LOG_FILE_HPP
#define ORDERPROC_STORAGE_SQLITE_LOG_FILE_HPP

// SQLite writes a transaction to its write-ahead log page by page, by two system calls each. Here
// they are gathered and written by one, before the sync that makes them durable.
//
// On their way from the log to the database pages are cleaned: see unused_part().

#include "unused_part.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// A VFS (sqlite.org/vfs.html) for one connection, registered while it lives, which is longer than
// the connection: the default one, but for how the log and the database are written.
//
// REQUIRES, if the log is gathered: synchronous=FULL, so that every commit is synced before others
// can see it, and cache_spill=OFF, so that nothing is written but by commits: what a transaction
// that is rolled back had left behind would be written later, over the log of another process.
class gathering_vfs {
public:
    explicit gathering_vfs(bool gathers_log);
    ~gathering_vfs();
    gathering_vfs(const gathering_vfs&) = delete;
    gathering_vfs& operator=(const gathering_vfs&) = delete;

    const char* name() const noexcept { return vfs_.zName; }  // nullptr: it is not available

    // Of the header of a log that was begun since the last call, if one was.
    std::optional<std::uint64_t> take_new_salts() noexcept {
        return std::exchange(part_.new_salts, std::nullopt);
    }

    // What the VFS keeps for itself: the one behind it, and what it saw.
    struct own_part {
        sqlite3_vfs* base = nullptr;
        bool gathers_log = false;
        cleaning_methods database;
        std::optional<std::uint64_t> new_salts;
    };

private:
    own_part part_;
    std::string name_;
    sqlite3_vfs vfs_{};
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
