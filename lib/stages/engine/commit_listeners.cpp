#include "stages/engine/commit_listeners.hpp"

#include <algorithm>
#include <cstddef>

namespace orderproc {
inline namespace v1 {
namespace detail {

void commit_listeners::add(commit_listener& who) {
    const std::lock_guard lock(mutex_);
    all_.push_back(&who);
}

void commit_listeners::remove(commit_listener& who) noexcept {
    std::unique_lock lock(mutex_);
    std::replace(all_.begin(), all_.end(), &who, static_cast<commit_listener*>(nullptr));
    if (announcing_ == 0) std::erase(all_, nullptr);
    ended_.wait(lock, [&] {
        for (const call* it = calls_; it; it = it->next) {
            if (it->who == &who && it->by != std::this_thread::get_id()) return false;
        }
        return true;
    });
}

void commit_listeners::begin(call& it) noexcept {
    it.next = calls_;
    calls_ = &it;
}

void commit_listeners::end(call& it) noexcept {
    call** at = &calls_;
    while (*at != &it) at = &(*at)->next;
    *at = it.next;
    ended_.notify_all();
}

void commit_listeners::announce() noexcept {
    std::unique_lock lock(mutex_);
    ++announcing_;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        if (!all_[i]) continue;
        call now{all_[i], std::this_thread::get_id(), nullptr};
        begin(now);
        lock.unlock();
        now.who->committed();
        lock.lock();
        end(now);
    }
    if (--announcing_ == 0) std::erase(all_, nullptr);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
