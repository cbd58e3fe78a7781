#ifndef ORDERPROC_SERVER_CLI_REDACTION_LOG_HPP
#define ORDERPROC_SERVER_CLI_REDACTION_LOG_HPP

// A file that says which orders were redacted. It lies outside of the storage, so that a restore
// of an older copy can redact them again.

#include <orderproc/error.hpp>
#include <orderproc/timestamp.hpp>

#include <string>
#include <vector>

namespace orderproc::server {

struct logged_redaction {
    std::string order;  // its id
    timestamp at{};
    std::string by;  // "cli:anna"; empty: not known
};

// One JSON object a line. Several processes may append to the same file: each append holds a lock
// of the file (flock(2)), which the file system has to keep between their machines.
class redaction_log {
public:
    // errc::invalid_argument: the file cannot be made or opened, or is no such log. A new file has
    // mode 0600.
    static result<redaction_log> open(const std::string& path);
    redaction_log(redaction_log&& other) noexcept;
    redaction_log& operator=(redaction_log&&) = delete;
    ~redaction_log();

    // Durable when it returns. errc::unavailable: it may not be; what is there of it is removed by
    // the next append. For one thread at a time.
    result<void> append(const logged_redaction& it);

private:
    redaction_log(int file, std::string path) noexcept : file_(file), path_(std::move(path)) {}
    failure cannot(const char* what) const;

    int file_;
    std::string path_;
};

// All that were appended, oldest first. An order may be there more than once. A last line without
// its end was never durable and is left out. errc::invalid_argument: the file cannot be read;
// errc::corrupt: a line is not what append() writes.
result<std::vector<logged_redaction>> read_redaction_log(const std::string& path);

}  // namespace orderproc::server

#endif
