#include "write_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace orderproc::detail::sqlite {

namespace {

using std::chrono::microseconds;

constexpr off_t gate = 0;
constexpr off_t turn = 1;
// The kernel cannot wait for such a lock with a limit, so waiting is asking again. Whoever
// has passed the gate is next and asks often.
constexpr microseconds first_nap{30};
constexpr microseconds longest_nap{500};

bool set(int file, short kind, off_t which) noexcept {
    struct flock range {};
    range.l_type = kind;
    range.l_whence = SEEK_SET;
    range.l_start = which;
    range.l_len = 1;
    int code;
    do {
        code = fcntl(file, F_OFD_SETLK, &range);
    } while (code != 0 && errno == EINTR);
    return code == 0;
}

// Until it has it, left is used up, or there are no locks here (errno).
bool wait_for(int file, off_t which, microseconds& left) noexcept {
    microseconds nap = first_nap;
    while (!set(file, F_WRLCK, which)) {
        if ((errno != EAGAIN && errno != EACCES) || left.count() <= 0) return false;
        nap = std::min(nap, left);
        const std::timespec rest{0, static_cast<long>(nap.count() * 1000)};
        nanosleep(&rest, nullptr);
        left -= nap;
        nap = std::min(nap * 2, longest_nap);
    }
    return true;
}

}  // namespace

result<std::unique_ptr<write_lock>> write_lock::open(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return failure{errc::unavailable, path + ": " + std::strerror(errno)};
    return std::unique_ptr<write_lock>(new write_lock(file, path));
}

write_lock::~write_lock() {
    ::close(file_);
}

result<void> write_lock::acquire(std::chrono::milliseconds timeout) {
    microseconds left = timeout;
    bool got = wait_for(file_, gate, left);
    if (got) {
        got = wait_for(file_, turn, left);
        const int why = errno;
        set(file_, F_UNLCK, gate);
        errno = why;
    }
    if (got) return {};
    if (errno == EAGAIN || errno == EACCES) {
        return failure{errc::unavailable, path_ + ": other writers held it for " +
                                              std::to_string(timeout.count()) + " ms"};
    }
    return failure{errc::not_supported, path_ + ": " + std::strerror(errno)};
}

// A byte that says nothing: who watches (watch.hpp) is told that it was written.
void write_lock::touch() noexcept {
    [[maybe_unused]] const auto size = ::pwrite(file_, "\n", 1, 0);
}

void write_lock::release() noexcept {
    set(file_, F_UNLCK, turn);
}

}  // namespace orderproc::detail::sqlite
