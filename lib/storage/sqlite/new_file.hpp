#ifndef ORDERPROC_STORAGE_SQLITE_NEW_FILE_HPP
#define ORDERPROC_STORAGE_SQLITE_NEW_FILE_HPP

#include "files.hpp"

#include <orderproc/error.hpp>

#include <sys/types.h>

#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// A file that is written under another name, and gets its own when it is whole and durable. Holds a
// lock (flock(2)), so that nobody else writes it at the same time. What an earlier process left
// under the other name is overwritten, and what lay beside it is removed.
class new_file {
public:
    // path is resolved. errc::already_exists: it is there; errc::unavailable: the other one cannot
    // be made, is another user's or a link, or somebody else is writing it.
    static result<new_file> make(const std::string& path, const char* suffix, mode_t mode);
    new_file(new_file&&) = default;
    new_file& operator=(new_file&&) = delete;
    ~new_file();  // removes it, unless it was published

    const std::string& name() const noexcept { return name_; }  // the other one
    // What was written so far is on the disk.
    result<void> sync();
    // REQUIRES: nobody else has it open.
    result<void> publish();

private:
    new_file(std::string path, std::string name, descriptor file) noexcept
        : path_(std::move(path)), name_(std::move(name)), file_(std::move(file)) {}
    failure failed() const;

    std::string path_;
    std::string name_;
    descriptor file_;
};

// A backup by its absolute path. errc::not_found; errc::unavailable: it has a log beside it.
result<std::string> resolve_backup(const std::string& path);

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
