#include "stages/read/read_lane.hpp"

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace detail {

result<void> read_lane::push(read_node& it) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) return errc::stopped;
        if (size_ >= waiting_max_) return errc::overloaded;
        it.next = nullptr;
        it.previous = tail_;
        it.waiting = true;
        (tail_ ? tail_->next : head_) = &it;
        tail_ = &it;
        ++size_;
        // A busy thread looks again by itself, so a burst costs one system call at most.
        wake = sleeping_ > woken_;
        if (wake) ++woken_;
    }
    if (wake) ready_.notify_one();
    return {};
}

bool read_lane::remove(read_node& it) noexcept {
    const std::lock_guard lock(mutex_);
    if (!it.waiting) return false;
    (it.previous ? it.previous->next : head_) = it.next;
    (it.next ? it.next->previous : tail_) = it.previous;
    it.waiting = false;
    --size_;
    return true;
}

read_node* read_lane::unlink_front(std::size_t at_most) noexcept {
    read_node* const first = head_;
    read_node* last = nullptr;
    for (std::size_t i = 0; i < at_most && head_; ++i) {
        last = head_;
        head_->waiting = false;
        head_ = head_->next;
        --size_;
    }
    if (last) last->next = nullptr;
    (head_ ? head_->previous : tail_) = nullptr;
    return last ? first : nullptr;
}

bool read_lane::empty() noexcept {
    const std::lock_guard lock(mutex_);
    return head_ == nullptr;
}

read_node* read_lane::take(std::size_t at_most) noexcept {
    const std::lock_guard lock(mutex_);
    return unlink_front(at_most);
}

read_node* read_lane::wait_and_take(std::size_t at_most) noexcept {
    std::unique_lock lock(mutex_);
    while (!stopped_ && !head_) {
        ++sleeping_;
        ready_.wait(lock);
        --sleeping_;
        woken_ -= std::min<std::size_t>(woken_, 1);
    }
    return stopped_ ? nullptr : unlink_front(at_most);
}

void read_lane::stop() noexcept {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    ready_.notify_all();
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
