#include "connection.hpp"
#include "files.hpp"
#include "new_file.hpp"
#include "write_lock.hpp"

#include <orderproc/sqlite.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

using namespace detail::sqlite;

constexpr std::size_t copied_at_once = std::size_t{1} << 20;

// What is left of a file that was there may belong to a process that still uses it.
result<void> expect_nobody(const std::string& path) {
    for (const std::string& it : {path, log_of(path), rollback_of(path)}) {
        if (look_at(it).id == file_id{}) continue;
        return failure{errc::already_exists, it + " exists: stop all programs that use it, and "
                                                  "move it away"};
    }
    if (look_at(lock_of(path)).id == file_id{}) return {};
    const auto lock = write_lock::open(lock_of(path));
    if (!lock) return lock.error();
    if ((*lock)->join()) return {};
    return failure{errc::unavailable, "a process still uses what was " + path + ": stop it first"};
}

result<void> copy_bytes(const std::string& from, const std::string& to) {
    const auto failed = [](const std::string& name) {
        return failure{errc::unavailable, name + ": " + std::strerror(errno)};
    };
    const descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source) return failed(from);
    const descriptor target(::open(to.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!target) return failed(to);
    std::vector<char> part(copied_at_once);
    while (true) {
        const ssize_t got = ::read(source.get(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed(from);
        if (got == 0) return {};
        for (ssize_t done = 0; done < got;) {
            const auto left = static_cast<std::size_t>(got - done);
            const ssize_t put = ::write(target.get(), part.data() + done, left);
            if (put < 0 && errno != EINTR) return failed(to);
            if (put > 0) done += put;
        }
    }
}

}  // namespace

class sqlite_restore::impl {
public:
    explicit impl(new_file file) : file_(std::move(file)), name_(file_.name()) {}
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    result<void> open(const std::string& backup, sqlite_options options) {
        if (auto copied = copy_bytes(backup, name_); !copied) return copied;
        options.path = name_;
        if (auto ready = migrate_sqlite(options); !ready) return std::move(ready).error();
        auto opened = open_sqlite(std::move(options));
        if (!opened) return std::move(opened).error();
        copy_ = std::move(*opened);
        return {};
    }
    storage& copy() noexcept { return *copy_; }

    result<void> finish() {
        if (auto closed = copy_->close(); !closed) return closed;
        copy_.reset();
        if (look_at(log_of(name_)).size > 0) {
            return failure{errc::unavailable, "another program reads " + name_};
        }
        remove_beside(name_);
        return file_.publish();
    }

private:
    new_file file_;
    const std::string name_;
    std::unique_ptr<storage> copy_;  // gone before the file
};

result<std::unique_ptr<sqlite_restore>> sqlite_restore::begin(const std::string& backup,
                                                              const sqlite_options& to) {
    const auto from = resolve_backup(backup);
    if (!from) return from.error();
    auto path = resolve(to.path);
    if (!path) return std::move(path).error();
    if (auto nobody = expect_nobody(*path); !nobody) return std::move(nobody).error();
    auto file = new_file::make(*path, ".restoring", static_cast<mode_t>(to.file_mode));
    if (!file) return std::move(file).error();
    auto made = std::make_unique<impl>(std::move(*file));
    if (auto opened = made->open(*from, to); !opened) return std::move(opened).error();
    return std::unique_ptr<sqlite_restore>(new sqlite_restore(std::move(made)));
}

sqlite_restore::sqlite_restore(std::unique_ptr<impl> it) noexcept : impl_(std::move(it)) {}
sqlite_restore::~sqlite_restore() = default;

storage& sqlite_restore::copy() noexcept {
    return impl_->copy();
}

result<void> sqlite_restore::finish() {
    return impl_->finish();
}

}  // namespace v1
}  // namespace orderproc
