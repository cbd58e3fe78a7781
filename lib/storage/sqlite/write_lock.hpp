#ifndef ORDERPROC_STORAGE_SQLITE_WRITE_LOCK_HPP
#define ORDERPROC_STORAGE_SQLITE_WRITE_LOCK_HPP

// Who may write or checkpoint: one connection at a time, among all processes. And what the file
// that is locked says to the next process that opens the database.

#include "files.hpp"

#include <orderproc/error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// How far the journal got. Written after each commit: a database that has less was put back.
struct journal_mark {
    std::uint64_t epoch = 0;
    std::uint64_t position = 0;  // of the newest entry
    friend bool operator==(const journal_mark&, const journal_mark&) = default;
};

// The database file as a checkpoint left it, and the log beside it: see continuity.hpp.
struct file_mark {
    file_id file{};
    std::int64_t modified_ns = 0;
    std::uint64_t position = 0;   // the file had at least this entry without its log
    std::uint64_t log_salts = 0;  // of the log, from its header; 0: not known
    std::uint64_t boot = 0;       // since which no time of a file can have been lost; 0: not known
    std::uint64_t copying = 0;    // 1: somebody copies the log into the file, or died of it
    friend bool operator==(const file_mark&, const file_mark&) = default;
};

// A file with three bytes to lock. Whoever wants to write holds the gate while waiting, and
// whoever has just written finds the gate closed: so all writers get their share. The third byte
// is shared by all that have the database open. The kernel frees the locks of a process that
// dies. Open file description locks (fcntl(2)), since the plain ones do not tell two connections
// of one process apart.
class write_lock {
public:
    // Makes the file with this mode if it is not there; never follows a link.
    // errc::unavailable if it cannot be made or opened.
    static result<std::unique_ptr<write_lock>> make(const std::string& path, mode_t mode);
    // errc::unavailable if it is not there.
    static result<std::unique_ptr<write_lock>> open(const std::string& path);
    write_lock(const write_lock&) = delete;
    write_lock& operator=(const write_lock&) = delete;

    // errc::unavailable if others held it for that long, errc::not_supported if the file
    // system has no locks. The time is counted by a clock that does not step.
    result<void> acquire(std::chrono::milliseconds timeout);
    void release() noexcept;

    // Joins those that have the database open, until this is destroyed. True: there are no
    // others. May be asked again.
    bool join() noexcept;

    // REQUIRES of these four: the lock is held. What was torn by a power cut is not there.
    // Writing either mark tells those that watch the file (watch.hpp) to look.
    std::optional<journal_mark> journal() const noexcept;
    std::optional<file_mark> file() const noexcept;
    void set(const journal_mark& to) noexcept;
    void set(const file_mark& to) noexcept;

    bool made() const noexcept { return made_; }  // by make(): it was not there before

private:
    write_lock(int file, std::string path, bool made) noexcept
        : file_(file), path_(std::move(path)), made_(made) {}

    descriptor file_;
    std::string path_;
    bool made_;
};

class write_guard {
public:
    explicit write_guard(write_lock& held) noexcept : held_(held) {}
    ~write_guard() { held_.release(); }
    write_guard(const write_guard&) = delete;
    write_guard& operator=(const write_guard&) = delete;

private:
    write_lock& held_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
