#ifndef ORDERPROC_STAGES_BELL_HPP
#define ORDERPROC_STAGES_BELL_HPP

// Wakes a stage: its own thread or, if it has none, its host.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Safe to use from any thread.
class bell {
public:
    explicit bell(std::function<void()> on_ready) : on_ready_(std::move(on_ready)) {}

    void ring() noexcept;
    // From here to rest() the host is not called: the stage runs, and looks itself.
    void answer() noexcept;
    bool rest() noexcept;                              // has it rung since answer()?
    void wait_for(std::chrono::milliseconds at_most);  // or until it rings
    void close() noexcept;  // afterwards nobody is called. REQUIRES: not from on_ready

private:
    const std::function<void()> on_ready_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool busy_ = false;
    bool rung_ = false;
    bool closed_ = false;
    std::size_t calling_ = 0;  // threads inside on_ready_
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
