#include "stages/common/notifier.hpp"

#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

void notifier::notify() noexcept {
    std::unique_lock lock(mutex_);
    if (closed_ || std::exchange(notified_, true) || busy_) return;
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

void notifier::begin() noexcept {
    const std::lock_guard lock(mutex_);
    busy_ = true;
    notified_ = false;
}

bool notifier::end() noexcept {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    return notified_;
}

clock::instant notifier::due(clock::instant said) const noexcept {
    const std::lock_guard lock(mutex_);
    return notified_ ? clock::instant::min() : said;
}

void notifier::wait_for(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [this] { return notified_; });
}

void notifier::close() noexcept {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.wait(lock, [this] { return calling_ == 0; });
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
