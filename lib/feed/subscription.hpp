#ifndef ORDERPROC_FEED_SUBSCRIPTION_HPP
#define ORDERPROC_FEED_SUBSCRIPTION_HPP

// One subscriber: between the feed, which offers, and the host, which takes.

#include <orderproc/feed.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

class feed_core;

class subscription final : public feed_subscription {
public:
    // The feed must know it before it is used: feed_core::add().
    subscription(feed_core& feed, feed_request what, feed_listener& who);
    ~subscription() override;

    feed_state take(std::vector<feed_part>& out, std::size_t bytes_max,
                    std::size_t parts_max) override;
    std::optional<feed_position> offered() const override;

private:
    friend class feed_core;

    // For the feed; none of them tells the listener.
    void offer(feed_part it, std::size_t buffer_max);
    void end();
    bool has_room() const { return has_less_than(1); }
    bool has_less_than(std::size_t rooms) const;  // of feed_core::room_below()
    bool open() const;

    feed_core& feed_;
    feed_listener& who_;
    const feed_filter filter_;
    const bool until_settled_;

    mutable std::mutex mutex_;
    std::vector<feed_part> queue_;
    std::size_t queued_size_ = 0;
    feed_state state_ = feed_state::open;

    // The feed's, under its lock.
    bool started_;              // at_ is known
    feed_position at_;          // up to where it has been offered everything
    order_version version_{0};  // of its order, while it catches up with one order's history
    bool settled_ = false;      // that order is, at that version
    bool reset_ = false;        // it was told that entries are gone
    bool live_ = false;
    bool touched_ = false;     // its listener is to be told
    bool rode_ = false;        // it was given a page that was read for another one
    std::uint64_t since_ = 0;  // it is given no page that was read before this one
    std::atomic<bool> catching_up_{true};
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
