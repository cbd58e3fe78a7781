#include "stages/bell.hpp"

#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

void bell::ring() noexcept {
    std::unique_lock lock(mutex_);
    if (closed_ || std::exchange(rung_, true) || busy_) return;
    if (!on_ready_) {
        changed_.notify_all();
        return;
    }
    ++calling_;
    lock.unlock();
    on_ready_();
    lock.lock();
    if (--calling_ == 0) changed_.notify_all();
}

void bell::answer() noexcept {
    const std::lock_guard lock(mutex_);
    busy_ = true;
    rung_ = false;
}

bool bell::rest() noexcept {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    return rung_;
}

void bell::wait_for(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [this] { return rung_; });
}

void bell::close() noexcept {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.wait(lock, [this] { return calling_ == 0; });
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
