#ifndef ORDERPROC_STORAGE_SQLITE_REPOSITORY_HPP
#define ORDERPROC_STORAGE_SQLITE_REPOSITORY_HPP

#include <orderproc/repository.hpp>
#include <orderproc/sqlite.hpp>

#include <memory>

namespace orderproc::detail::sqlite {

result<std::unique_ptr<repository>> connect_reader(const sqlite_options& options);
result<std::unique_ptr<repository>> connect_writer(const sqlite_options& options);

}  // namespace orderproc::detail::sqlite

#endif
