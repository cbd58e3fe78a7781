#ifndef ORDERPROC_STORAGE_SQLITE_REPOSITORY_HPP
#define ORDERPROC_STORAGE_SQLITE_REPOSITORY_HPP

#include "files.hpp"

#include <orderproc/repository.hpp>
#include <orderproc/sqlite.hpp>

#include <memory>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// options.path is resolved; database is the file that the storage has opened: errc::unavailable
// if another one is there now.
result<std::unique_ptr<repository_reader>> connect_reader(const sqlite_options& options,
                                                          const file_id& database);
result<std::unique_ptr<repository>> connect_writer(const sqlite_options& options,
                                                   const file_id& database);

// Of a copy that nobody uses: it is only read, and nothing is made beside it.
result<std::unique_ptr<repository_reader>> connect_backup_reader(const std::string& path);

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
