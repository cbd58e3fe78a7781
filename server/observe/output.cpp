#include "observe/output.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

// Whole lines if possible: a pipe keeps what is at most PIPE_BUF bytes together, whoever else
// writes to it, and takes it without waiting once poll(2) says that there is room.
std::string_view first_lines(std::string_view text) noexcept {
    if (text.size() <= PIPE_BUF) return text;
    const std::size_t end = text.substr(0, PIPE_BUF).rfind('\n');
    return text.substr(0, end == text.npos ? PIPE_BUF : end + 1);
}

int open_again(int descriptor) noexcept {
    std::array<char, 32> path{};
    std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", descriptor);
    return ::open(path.data(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

}  // namespace

output::output(int descriptor) noexcept : given_(descriptor) {
    struct stat found {};
    if (::fstat(descriptor, &found) != 0) return;
    socket_ = S_ISSOCK(found.st_mode);
    // A file opened again would have a position of its own, and it takes everything anyway.
    if (!S_ISFIFO(found.st_mode) && !S_ISCHR(found.st_mode)) return;
    own_ = open_again(descriptor);
    may_block_ = own_ < 0;
}

output::~output() {
    if (own_ >= 0) ::close(own_);
}

std::ptrdiff_t output::write_some(std::string_view lines) noexcept {
    const std::string_view part = first_lines(lines);
    for (;;) {
        if (may_block_) {
            pollfd room{given_, POLLOUT, 0};
            if (::poll(&room, 1, 0) <= 0) return 0;
        }
        const ssize_t size =
            socket_ ? ::send(given_, part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                    : ::write(own_ >= 0 ? own_ : given_, part.data(), part.size());
        if (size >= 0) return size;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
        if (errno != EINTR) return -1;
    }
}

void output::wait(milliseconds most, int other) noexcept {
    std::array<pollfd, 2> either{{{own_ >= 0 ? own_ : given_, POLLOUT, 0}, {other, POLLIN, 0}}};
    const auto time = std::min<std::int64_t>(most.count(), INT_MAX);
    ::poll(either.data(), either.size(), static_cast<int>(std::max<std::int64_t>(time, -1)));
}

bool write_within(milliseconds most, int descriptor, std::string_view text) noexcept {
    output to(descriptor);
    const auto until = steady::now() + most;
    while (!text.empty()) {
        const std::ptrdiff_t size = to.write_some(text);
        if (size < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(size));
        if (size > 0) continue;
        const auto left = std::chrono::ceil<milliseconds>(until - steady::now());
        if (left <= milliseconds(0)) return false;
        to.wait(left);
    }
    return true;
}

}  // namespace orderproc::server
