#include "live/subscription.hpp"

#include "live/event_page.hpp"
#include "live/live_feed.hpp"

#include <algorithm>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t room_below = 256 * 1024;  // of those that catch up

}  // namespace

subscription::subscription(live_feed& feed, subscription_request what)
    : feed_(feed),
      filter_(std::move(what.filter)),
      until_settled_(what.until_settled),
      at_(what.after) {
    queue_.push_back(first_event(what.from_now ? &at_ : nullptr));
    queued_size_ = queue_.front().bytes.size();
}

subscription::~subscription() {
    if (by_) feed_.remove(*this);
}

void subscription::start(http::stream_exchange& by) {
    by_ = &by;
    feed_.add(*this);
}

subscription::state subscription::take(std::vector<http::piece>& out, std::size_t most,
                                       std::size_t most_pieces) {
    bool room = false;
    state now;
    {
        const std::lock_guard lock(mutex_);
        std::size_t count = 0;
        std::size_t size = 0;
        while (count < queue_.size() && count < most_pieces && size < most) {
            size += queue_[count++].bytes.size();
        }
        const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
        std::move(queue_.begin(), end, std::back_inserter(out));
        queue_.erase(queue_.begin(), end);
        queued_size_ -= size;
        now = state_ == state::ended && !queue_.empty() ? state::open : state_;
        room = count > 0 && queued_size_ < room_below;
    }
    if (room && catching_up_) feed_.poke();
    return now;
}

// Beyond the bound the reader is too slow to be waited for: it will come again, and go on from
// what it has seen. Who waits for nothing else takes one piece of any size.
void subscription::offer(http::piece it, std::size_t buffer_max) {
    const std::lock_guard lock(mutex_);
    if (state_ != state::open) return;
    if (queued_size_ > 0 && queued_size_ + it.bytes.size() > buffer_max) {
        state_ = state::failed;
        queue_ = {};
        queued_size_ = 0;
        return;
    }
    queued_size_ += it.bytes.size();
    queue_.push_back(std::move(it));
}

void subscription::end() {
    const std::lock_guard lock(mutex_);
    if (state_ == state::open) state_ = state::ended;
}

bool subscription::has_room() const {
    const std::lock_guard lock(mutex_);
    return state_ == state::open && queued_size_ < room_below;
}

bool subscription::open() const {
    const std::lock_guard lock(mutex_);
    return state_ == state::open;
}

}  // namespace orderproc::server
