#ifndef ORDERPROC_SERVER_OBSERVE_LOG_LINES_HPP
#define ORDERPROC_SERVER_OBSERVE_LOG_LINES_HPP

// Records as lines: one JSON object each, or key=value for people.

#include "observe/output.hpp"

#include <orderproc/log.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace orderproc::server {

enum class log_format : std::uint8_t { text, json };

// Appends the line with its end: {"time":…,"level":…,"event":…, and the fields} in UTC. Texts are
// escaped, so that a line stays one line and nobody's terminal is written to.
void append_log_line(log_format as, timestamp now, const log_record& what, std::string& out);

struct line_log_options {
    std::size_t waiting_max = 1024 * 1024;  // bytes of lines that nobody has read yet
    // How long the end waits for a reader that takes nothing.
    std::chrono::milliseconds end_timeout = std::chrono::seconds(1);
};

// Writes lines to a descriptor from a thread of its own, so that a thread that logs never waits for
// the reader of the log. Lines beyond waiting_max are dropped; how many is a line of its own,
// "log_lines_dropped", as soon as there is room again.
class line_log {
public:
    line_log(log_format as, int descriptor, line_log_options options = {});
    ~line_log();  // writes what waits
    line_log(const line_log&) = delete;
    line_log& operator=(const line_log&) = delete;

    log_sink sink();  // this has to outlive it

private:
    void add(const log_record& what);
    void run() noexcept;
    bool take(std::string& lines);
    bool write(std::string_view lines) noexcept;
    bool wait_for_room() noexcept;

    const log_format as_;
    const line_log_options options_;
    output to_;
    const int ending_;  // an eventfd: readable from the beginning of the end
    std::atomic<std::chrono::steady_clock::time_point> end_at_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string waiting_;
    std::uint64_t dropped_ = 0;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace orderproc::server

#endif
