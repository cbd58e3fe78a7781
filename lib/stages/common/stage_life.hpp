#ifndef ORDERPROC_STAGES_COMMON_STAGE_LIFE_HPP
#define ORDERPROC_STAGES_COMMON_STAGE_LIFE_HPP

// A stage is started once and stopped for good, and runs on a thread of its own or on its host's.

#include <orderproc/error.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Safe to use from any thread.
class ORDERPROC_EXPORT stage_life {
public:
    // Starts if prepare() agrees; threaded: with a thread for run(), which must not throw. False:
    // it has started before. errc::stopped after join(); errc::unavailable if there is no thread to
    // be had: then it may be started again.
    result<bool> start(const std::function<result<void>()>& prepare, bool threaded,
                       std::function<void()> run);

    // It does not start any more. Waits for the thread, which somebody told to end; returns at once
    // if called from the thread.
    void join();

private:
    enum class state : std::uint8_t { made, started, stopped };

    std::mutex mutex_;  // join() waits under it, so the thread never takes it
    std::atomic<state> state_{state::made};
    std::atomic<std::thread::id> thread_id_{};
    std::thread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
