#include "http/loop_turns.hpp"

namespace orderproc::server::http {

bool loop_turns::enter() {
    std::unique_lock lock(mutex_);
    if (occupied_ && !ended_) stand_by(lock);
    if (ended_) return false;
    occupied_ = true;
    return true;
}

void loop_turns::leave() noexcept {
    const std::lock_guard lock(mutex_);
    occupied_ = false;
    ++departures_;
    if (!watched_) changed_.notify_one();
}

void loop_turns::end() noexcept {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

// Until the loop has ended, or was free for a whole grace.
void loop_turns::stand_by(std::unique_lock<std::mutex>& lock) {
    std::uint64_t seen = departures_;
    while (!ended_) {
        if (seen == departures_) {
            if (!occupied_) break;
            // Nobody has left since the last look: there is nothing to watch.
            changed_.wait(lock, [&] { return ended_ || seen != departures_; });
        }
        seen = departures_;
        watched_ = true;
        changed_.wait_for(lock, grace, [this] { return ended_; });
        watched_ = false;
    }
}

}  // namespace orderproc::server::http
