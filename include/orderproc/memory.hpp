#ifndef ORDERPROC_MEMORY_HPP
#define ORDERPROC_MEMORY_HPP

// Orders in memory: for tests, demonstrations and as the smallest complete adapter.

#include <orderproc/repository.hpp>

#include <memory>

namespace orderproc {
inline namespace v1 {

// Everything is gone with the storage. Connections share one set of orders behind a mutex.
ORDERPROC_EXPORT std::unique_ptr<storage> make_memory_storage(std::uint64_t epoch = 1);

}  // namespace v1
}  // namespace orderproc

#endif
