#ifndef ORDERPROC_STORAGE_SQLITE_WRITE_LOCK_HPP
#define ORDERPROC_STORAGE_SQLITE_WRITE_LOCK_HPP

// Who may write or checkpoint: one connection at a time, among all processes.

#include <orderproc/error.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace orderproc::detail::sqlite {

// A file with two bytes to lock. Whoever wants the lock holds the gate while it waits, and
// whoever has just released it finds the gate closed: so everybody gets a turn. The kernel
// frees the locks of a process that dies. Open file description locks (fcntl(2)), since the
// plain ones do not tell two connections of one process apart.
class write_lock {
public:
    // errc::unavailable if the file cannot be made or opened.
    static result<std::unique_ptr<write_lock>> open(const std::string& path);
    ~write_lock();
    write_lock(const write_lock&) = delete;
    write_lock& operator=(const write_lock&) = delete;

    // errc::unavailable if others held it for that long, errc::not_supported if the file
    // system has no locks.
    result<void> acquire(std::chrono::milliseconds timeout);
    void release() noexcept;
    void touch() noexcept;  // tells those who watch the file that something was committed

private:
    write_lock(int file, std::string path) noexcept : file_(file), path_(std::move(path)) {}

    int file_;
    std::string path_;
};

class write_turn {
public:
    explicit write_turn(write_lock& held) noexcept : held_(held) {}
    ~write_turn() { held_.release(); }
    write_turn(const write_turn&) = delete;
    write_turn& operator=(const write_turn&) = delete;

private:
    write_lock& held_;
};

}  // namespace orderproc::detail::sqlite

#endif
