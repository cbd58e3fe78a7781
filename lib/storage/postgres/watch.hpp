#ifndef ORDERPROC_STORAGE_POSTGRES_WATCH_HPP
#define ORDERPROC_STORAGE_POSTGRES_WATCH_HPP

#include "storage/postgres/repository.hpp"

#include <orderproc/repository.hpp>

#include <memory>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// Looks at the latest row of the table writes, every 80 ms, on a connection of its own. It connects
// again after the connection was lost, and then says that somebody may have committed.
result<std::unique_ptr<commit_watch>> watch_writes(shared_state& shared);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
