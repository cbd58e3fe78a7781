#ifndef ORDERPROC_STORAGE_SQLITE_REPOSITORY_HPP
#define ORDERPROC_STORAGE_SQLITE_REPOSITORY_HPP

#include "files.hpp"

#include <orderproc/repository.hpp>
#include <orderproc/sqlite.hpp>

#include <memory>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// options.path is resolved; database is the file that the storage has opened: errc::unavailable
// if another one is there now.
result<std::unique_ptr<repository_reader>> connect_reader(const sqlite_options& options,
                                                          const file_id& database);
result<std::unique_ptr<repository>> connect_writer(const sqlite_options& options,
                                                   const file_id& database);

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
