#include "feed/subscription.hpp"

#include "feed/feed_core.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

subscription::subscription(feed_core& feed, feed_request what, feed_listener& who)
    : feed_(feed),
      who_(who),
      filter_(std::move(what.filter)),
      until_settled_(what.until_settled),
      started_(what.after.has_value()),
      at_(what.after.value_or(feed_position{})) {}

subscription::~subscription() {
    feed_.remove(*this);
}

feed_state subscription::take(std::vector<feed_part>& out, std::size_t bytes_max,
                              std::size_t parts_max) {
    bool room = false;
    feed_state now;
    {
        const std::lock_guard lock(mutex_);
        std::size_t count = 0;
        std::size_t size = 0;
        while (count < queue_.size() && count < parts_max && (count == 0 || size < bytes_max)) {
            size += queue_[count++].size;
        }
        out.reserve(out.size() + count);  // what follows throws nothing
        const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
        std::move(queue_.begin(), end, std::back_inserter(out));
        queue_.erase(queue_.begin(), end);
        queued_size_ -= size;
        now = state_ == feed_state::ended && !queue_.empty() ? feed_state::open : state_;
        room = count > 0 && queued_size_ < feed_.room_below();
    }
    if (room && catching_up_) feed_.poke();
    return now;
}

std::optional<feed_position> subscription::offered() const {
    const auto out = feed_.offered_to(*this);
    return open() ? out : std::nullopt;
}

// Beyond the bound the subscriber is too slow to be waited for. One for which nothing waits gets a
// part of any size.
void subscription::offer(feed_part it, std::size_t buffer_max) {
    const std::lock_guard lock(mutex_);
    if (state_ != feed_state::open) return;
    if (queued_size_ > 0 && queued_size_ + it.size > buffer_max) {
        state_ = feed_state::dropped;
        queue_ = {};
        queued_size_ = 0;
        return;
    }
    const std::size_t size = it.size;
    queue_.push_back(std::move(it));
    queued_size_ += size;
}

void subscription::end() {
    const std::lock_guard lock(mutex_);
    if (state_ == feed_state::open) state_ = feed_state::ended;
}

bool subscription::has_less_than(std::size_t rooms) const {
    const std::lock_guard lock(mutex_);
    return state_ == feed_state::open && queued_size_ < rooms * feed_.room_below();
}

bool subscription::open() const {
    const std::lock_guard lock(mutex_);
    return state_ == feed_state::open;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
