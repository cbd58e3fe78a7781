#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

std::int64_t nanoseconds(const struct statx_timestamp& at) noexcept {
    return at.tv_sec * 1'000'000'000 + at.tv_nsec;
}

failure failed(const std::string& path) {
    return {errc::unavailable, path + ": " + std::strerror(errno)};
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == path.npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

descriptor::descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

descriptor::~descriptor() {
    if (number_ >= 0) ::close(number_);
}

file_facts look_at(const std::string& path) noexcept {
    struct statx found {};
    file_facts out;
    constexpr unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;
    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, wanted, &found) != 0) return out;
    out.id.inode = found.stx_ino;
    if (found.stx_mask & STATX_BTIME) out.id.born_ns = nanoseconds(found.stx_btime);
    out.modified_ns = nanoseconds(found.stx_mtime);
    out.size = found.stx_size;
    out.is_link = S_ISLNK(found.stx_mode);
    return out;
}

result<std::string> resolve(const std::string& path) {
    const auto real = [](const std::string& of) {
        return std::unique_ptr<char, void (*)(void*)>(::realpath(of.c_str(), nullptr), &std::free);
    };
    if (const auto found = real(path)) return std::string(found.get());
    if (errno != ENOENT) return failed(path);
    if (look_at(path).is_link) {
        return failure{errc::unavailable, path + " is a link to a file that does not exist"};
    }
    const auto folder = real(folder_of(path));
    if (!folder) return failed(folder_of(path));
    const std::string base = folder.get();
    const std::size_t slash = path.rfind('/');
    return (base == "/" ? base : base + "/") + (slash == path.npos ? path : path.substr(slash + 1));
}

void remove_beside(const std::string& path) noexcept {
    try {
        for (const std::string& it :
             {log_of(path), index_of_log(path), lock_of(path), rollback_of(path)}) {
            ::unlink(it.c_str());
        }
    } catch (const std::exception&) {  // without memory they stay
    }
}

std::string immutable_uri(const std::string& path) {
    std::string out = "file:";
    for (const char c : path) {
        if (c == '?' || c == '#' || c == '%') {
            std::array<char, 4> code{};
            std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(c));
            out += code.data();
        } else {
            out += c;
        }
    }
    return out + "?immutable=1";
}

failure replaced(const std::string& name) {
    return {errc::unavailable, name +
                                   " was removed or replaced while it was in use: put it back, "
                                   "or stop and start again"};
}

result<bool> make_file(const std::string& path, mode_t mode) {
    constexpr int how = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const descriptor made(::open(path.c_str(), how, mode));
    if (!made) {
        if (errno == EEXIST) return false;
        return failed(path);
    }
    if (::fchmod(made.get(), mode) != 0) return failed(path);
    return true;
}

file_guard::file_guard(const std::string& path)
    : folder_(folder_of(path)), names_{path, log_of(path), index_of_log(path), lock_of(path)} {
    for (std::size_t i = 0; i < names_.size(); ++i) ids_[i] = look_at(names_[i]).id;
}

result<void> file_guard::check() {
    struct stat folder {};
    if (::stat(folder_.c_str(), &folder) != 0) return failed(folder_);
    const bool same = settled_ && folder.st_ino == folder_id_ &&
                      folder.st_mtim.tv_sec == changed_.tv_sec &&
                      folder.st_mtim.tv_nsec == changed_.tv_nsec;
    if (same) return {};
    if (auto looked = look(); !looked) return looked;
    folder_id_ = folder.st_ino;
    changed_ = folder.st_mtim;
    // The kernel's time of a change has steps: another change within the same step would not
    // show. The same clock, in the same steps, says when the step is over for certain.
    std::timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    settled_ = now.tv_sec > changed_.tv_sec + 1;
    return {};
}

result<void> file_guard::look() {
    for (std::size_t i = 0; i < names_.size(); ++i) {
        if (look_at(names_[i]).id != ids_[i]) return replaced(names_[i]);
    }
    return {};
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
