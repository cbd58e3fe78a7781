#ifndef ORDERPROC_STAGES_WORKER_WORKER_PRESENCE_HPP
#define ORDERPROC_STAGES_WORKER_WORKER_PRESENCE_HPP

// The record that a worker keeps about itself.

#include <orderproc/engine.hpp>
#include <orderproc/worker_record.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

// What is counted in one cycle of the worker.
struct presence_counts {
    std::size_t claimed = 0, advanced = 0, retried = 0, failed = 0, lease_lost = 0;
};

// The worker's thread only. Writes that are under way outlive it.
class worker_presence {
public:
    explicit worker_presence(engine& to) : engine_(to) {}  // which outlives it
    ~worker_presence() { leave(); }
    worker_presence(const worker_presence&) = delete;
    worker_presence& operator=(const worker_presence&) = delete;

    // Of a worker without a record (every 0) the other functions do nothing.
    void start(worker_record who, std::chrono::milliseconds every);
    void count(const presence_counts& more) noexcept;
    // Writes the record if it is time, or if the worker has begun to drain since.
    void tell(std::size_t in_work, std::size_t capacity, bool draining);
    clock::instant next_due() const noexcept;  // of tell()
    // Removes the record. Idempotent; nothing is written afterwards.
    void leave() noexcept;

private:
    class write;

    engine& engine_;
    std::chrono::milliseconds every_{0};
    worker_record record_;
    clock::instant next_at_{};
    std::shared_ptr<write> write_;  // none: it has no record, or has left
    std::deque<std::pair<clock::instant, std::uint64_t>> advanced_;  // by when it was told
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
