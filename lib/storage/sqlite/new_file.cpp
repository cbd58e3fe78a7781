#include "new_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

failure taken(const std::string& path) {
    return {errc::already_exists, path + " exists: name another file, or move it away"};
}

// Takes a name that must be free. Some file systems cannot do both at once.
bool rename_unless_there(const std::string& from, const std::string& to) noexcept {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return true;
    }
    if (errno != EINVAL && errno != ENOSYS) return false;
    if (look_at(to).id != file_id{}) {
        errno = EEXIST;
        return false;
    }
    return ::rename(from.c_str(), to.c_str()) == 0;
}

bool sync_folder(const std::string& of) noexcept {
    const std::size_t slash = of.rfind('/');
    const std::string folder = slash == of.npos ? "." : of.substr(0, slash + 1);
    const descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened && ::fsync(opened.get()) == 0;
}

}  // namespace

result<new_file> new_file::make(const std::string& path, const char* suffix, mode_t mode) {
    if (look_at(path).id != file_id{}) return taken(path);
    std::string name = path + suffix;
    constexpr int how = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
    int opens = ::open(name.c_str(), how | O_CREAT | O_EXCL, mode);
    const bool found = opens < 0 && errno == EEXIST;
    if (found) opens = ::open(name.c_str(), how);
    descriptor file(opens);
    if (!file) return failure{errc::unavailable, name + ": " + std::strerror(errno)};
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return failure{errc::unavailable, name + " is being written by another process"};
    }
    new_file out(path, std::move(name), std::move(file));
    // It may have been published, or removed, while this waited for nothing.
    struct stat opened {};
    if (::fstat(out.file_.get(), &opened) != 0) return out.failed();
    if (look_at(out.name_).id.inode != opened.st_ino) {
        const failure why{errc::unavailable, out.name_ + " was written by another process"};
        out.name_.clear();
        return why;
    }
    // In a folder where others may write, it may be theirs, or another name of a file of ours.
    const bool ours =
        S_ISREG(opened.st_mode) && opened.st_uid == ::geteuid() && opened.st_nlink == 1;
    if (found && !ours) {
        const failure why{errc::unavailable, out.name_ + " was not left by this user: remove it"};
        out.name_.clear();
        return why;
    }
    remove_beside(out.name_);  // what one that was killed has left
    if (::ftruncate(out.file_.get(), 0) != 0 || ::fchmod(out.file_.get(), mode) != 0) {
        return out.failed();
    }
    return out;
}

new_file::~new_file() {
    if (!file_ || name_.empty()) return;
    remove_beside(name_);
    ::unlink(name_.c_str());
}

failure new_file::failed() const {
    return {errc::unavailable, name_ + ": " + std::strerror(errno)};
}

result<void> new_file::sync() {
    if (::fdatasync(file_.get()) != 0) return failed();
    return {};
}

result<void> new_file::publish() {
    if (::fsync(file_.get()) != 0) return failed();
    if (!rename_unless_there(name_, path_)) {
        if (errno == EEXIST) return taken(path_);
        return failed();
    }
    name_.clear();
    if (!sync_folder(path_)) {
        return failure{errc::unavailable,
                       path_ + ": its folder cannot be made durable: " + std::strerror(errno)};
    }
    return {};
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
