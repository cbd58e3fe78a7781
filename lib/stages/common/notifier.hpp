#ifndef ORDERPROC_STAGES_COMMON_NOTIFIER_HPP
#define ORDERPROC_STAGES_COMMON_NOTIFIER_HPP

// Wakes a stage: its own thread or, if it has none, its host.

#include <orderproc/runtime.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Safe to use from any thread.
class ORDERPROC_EXPORT notifier {
public:
    explicit notifier(std::function<void()> on_ready) : on_ready_(std::move(on_ready)) {}

    void notify() noexcept;
    // Between begin() and end() the host is not called: the runnable is running and looks itself.
    void begin() noexcept;
    bool end() noexcept;  // whether notify() was called since begin()
    // When the stage is to run again: when it said, or at once if notify() was called since
    // begin().
    clock::instant due(clock::instant said) const noexcept;
    void wait_for(std::chrono::milliseconds at_most);  // or until notify()
    void close() noexcept;  // afterwards nobody is called. REQUIRES: not from on_ready

private:
    const std::function<void()> on_ready_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool busy_ = false;
    bool notified_ = false;
    bool closed_ = false;
    std::size_t calling_ = 0;  // threads inside on_ready_
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
