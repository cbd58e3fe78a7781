#ifndef ORDERPROC_STORAGE_SQLITE_WATCH_HPP
#define ORDERPROC_STORAGE_SQLITE_WATCH_HPP

#include <orderproc/repository.hpp>

#include <memory>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// Sees the touches that writers give the lock file after their commits: inotify(7).
result<std::unique_ptr<commit_watch>> watch_lock_file(const std::string& path);

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
