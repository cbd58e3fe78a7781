#ifndef ORDERPROC_MEMORY_HPP
#define ORDERPROC_MEMORY_HPP

// Orders and queues in memory: for tests, demonstrations and as the smallest complete adapters.

#include <orderproc/queue.hpp>
#include <orderproc/repository.hpp>

#include <cstddef>
#include <memory>

namespace orderproc {
inline namespace v1 {

// Everything is gone with the storage. Connections share one set of orders behind a mutex.
ORDERPROC_EXPORT std::unique_ptr<storage> make_memory_storage(std::uint64_t epoch = 1);

// Queues within the process, gone with it. A queue that must drop nothing and holds queue_max
// messages makes publisher::submit() answer errc::overloaded. A consumer that puts poison into such
// a queue drops its oldest message instead, so that poison cannot fill the memory.
ORDERPROC_EXPORT std::unique_ptr<broker> make_memory_broker(std::size_t queue_max = 100'000);

}  // namespace v1
}  // namespace orderproc

#endif
