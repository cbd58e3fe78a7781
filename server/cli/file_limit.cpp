#include "cli/file_limit.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace orderproc::server {

namespace {

// The storage's files, the listener, and what the threads wait on.
constexpr std::size_t files_besides = 64;

}  // namespace

result<void> raise_file_limit(std::size_t connections) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return failure{errc::unavailable, std::generic_category().message(errno)};
    }
    if (limit.rlim_cur != limit.rlim_max) {
        rlimit raised = limit;
        raised.rlim_cur = limit.rlim_max;
        // Refused, the old one still holds, and may do.
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    const std::size_t needed = connections + files_besides;
    if (limit.rlim_cur == RLIM_INFINITY || needed <= limit.rlim_cur) return {};
    return failure{errc::invalid_argument,
                   std::to_string(connections) + " connections need " + std::to_string(needed) +
                       " open files and the system grants " + std::to_string(limit.rlim_cur) +
                       ": lower --connections or raise `ulimit -n`"};
}

}  // namespace orderproc::server
