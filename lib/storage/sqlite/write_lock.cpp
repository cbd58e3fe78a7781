#include "write_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <type_traits>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr off_t gate = 0;
constexpr off_t writer_byte = 1;
constexpr off_t users = 2;
// The kernel cannot wait for such a lock with a limit, so waiting is asking again. Whoever
// has passed the gate is next and asks often.
constexpr microseconds first_nap{30};
constexpr microseconds longest_nap{500};

bool set_lock(int file, int kind, off_t first, off_t count = 1) noexcept {
    struct flock range {};
    range.l_type = static_cast<short>(kind);
    range.l_whence = SEEK_SET;
    range.l_start = first;
    range.l_len = count;
    int code;
    do {
        code = fcntl(file, F_OFD_SETLK, &range);
    } while (code != 0 && errno == EINTR);
    return code == 0;
}

// Until it has it, the time is over, or there are no locks here (errno).
bool wait_for(int file, off_t which, steady_clock::time_point until) noexcept {
    microseconds nap = first_nap;
    while (!set_lock(file, F_WRLCK, which)) {
        if (errno != EAGAIN && errno != EACCES) return false;
        const auto left = std::chrono::duration_cast<microseconds>(until - steady_clock::now());
        if (left.count() <= 0) {
            errno = EAGAIN;
            return false;
        }
        nap = std::min(nap, left);
        const std::timespec rest{0, static_cast<long>(nap.count() * 1000)};
        nanosleep(&rest, nullptr);
        nap = std::min(nap * 2, longest_nap);
    }
    return true;
}

// A mark in the file: what it is and a sum over it, so that one that was torn is not believed.
// The two lie apart, since they are written at different times.
constexpr std::uint64_t magic = 0x6f726470'6c6f636b;  // "ordplock"
constexpr off_t journal_at = 0;
constexpr off_t file_at = 64;

template <class Mark>
struct sealed {
    std::uint64_t kind = magic + sizeof(Mark);
    Mark mark;
    std::uint64_t sum = 0;
};

// FNV-1a over eight bytes at a time.
template <class Mark>
std::uint64_t sum_of(const sealed<Mark>& it) noexcept {
    static_assert(std::has_unique_object_representations_v<Mark>);
    std::uint64_t words[sizeof(Mark) / 8 + 1];
    std::memcpy(words, &it, sizeof words);
    std::uint64_t out = 0xcbf29ce484222325;
    for (const std::uint64_t word : words) out = (out ^ word) * 0x100000001b3;
    return out;
}

template <class Mark>
std::optional<Mark> read_mark(int file, off_t at) noexcept {
    sealed<Mark> found;
    const auto size = static_cast<ssize_t>(sizeof found);
    if (::pread(file, &found, sizeof found, at) != size) return std::nullopt;
    if (found.kind != sealed<Mark>().kind || found.sum != sum_of(found)) return std::nullopt;
    return found.mark;
}

// If it cannot be written the next process takes the database for one that was put back, and
// begins an epoch that nobody needed: harmless.
template <class Mark>
void write_mark(int file, off_t at, const Mark& mark) noexcept {
    sealed<Mark> out;
    out.mark = mark;
    out.sum = sum_of(out);
    [[maybe_unused]] const auto size = ::pwrite(file, &out, sizeof out, at);
}

result<void> expect_regular(int file, const std::string& path) {
    struct stat found {};
    if (::fstat(file, &found) == 0 && S_ISREG(found.st_mode)) return {};
    return failure{errc::unavailable, path + " is not a regular file"};
}

}  // namespace

result<std::unique_ptr<write_lock>> write_lock::make(const std::string& path, mode_t mode) {
    const auto made = make_file(path, mode);
    if (!made) return made.error();
    auto out = open(path);
    if (out) (*out)->made_ = *made;
    return out;
}

result<std::unique_ptr<write_lock>> write_lock::open(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return failure{errc::unavailable, path + ": " + std::strerror(errno)};
    std::unique_ptr<write_lock> out(new write_lock(file, path, false));
    if (auto regular = expect_regular(file, path); !regular) return regular.error();
    return out;
}

result<void> write_lock::acquire(std::chrono::milliseconds timeout) {
    const int file = file_.get();
    // Nobody waits and nobody writes: one call takes both.
    if (set_lock(file, F_WRLCK, gate, 2)) {
        set_lock(file, F_UNLCK, gate);
        return {};
    }
    const auto until = steady_clock::now() + timeout;
    bool got = wait_for(file, gate, until);
    if (got) {
        got = wait_for(file, writer_byte, until);
        const int why = errno;
        set_lock(file, F_UNLCK, gate);
        errno = why;
    }
    if (got) return {};
    if (errno == EAGAIN || errno == EACCES) {
        return failure{errc::unavailable, path_ + ": other writers held it for " +
                                              std::to_string(timeout.count()) + " ms"};
    }
    return failure{errc::not_supported, path_ + ": " + std::strerror(errno)};
}

void write_lock::release() noexcept {
    set_lock(file_.get(), F_UNLCK, writer_byte);
}

bool write_lock::join() noexcept {
    const bool alone = set_lock(file_.get(), F_WRLCK, users);
    set_lock(file_.get(), F_RDLCK, users);
    return alone;
}

std::optional<journal_mark> write_lock::journal() const noexcept {
    return read_mark<journal_mark>(file_.get(), journal_at);
}

std::optional<file_mark> write_lock::file() const noexcept {
    return read_mark<file_mark>(file_.get(), file_at);
}

void write_lock::set(const journal_mark& to) noexcept {
    write_mark(file_.get(), journal_at, to);
}

void write_lock::set(const file_mark& to) noexcept {
    write_mark(file_.get(), file_at, to);
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
