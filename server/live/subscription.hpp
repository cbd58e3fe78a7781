#ifndef ORDERPROC_SERVER_LIVE_SUBSCRIPTION_HPP
#define ORDERPROC_SERVER_LIVE_SUBSCRIPTION_HPP

// One who listens: between the feed, which offers, and the connection, which takes.

#include "http/body_source.hpp"
#include "live/event_filter.hpp"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

namespace orderproc::server {

class live_feed;

struct subscription_request {
    event_filter filter;
    feed_position after;  // what is at or before it is known
    // Starts live: after is where the journal ends now.
    bool from_now = false;
    // REQUIRES: the filter has an order. The stream ends when that is settled or deleted.
    bool until_settled = false;
};

class subscription final : public http::body_source {
public:
    subscription(live_feed& feed, subscription_request what);
    ~subscription() override;

    // For the connection, on its thread.
    void start(http::stream_exchange& by) override;
    state take(std::vector<http::piece>& out, std::size_t most, std::size_t most_pieces) override;
    std::string_view heartbeat() const noexcept override { return ":\n\n"; }

private:
    friend class live_feed;

    // For the feed; none wakes the connection.
    void offer(http::piece it, std::size_t buffer_max);
    void end();
    bool has_room() const;
    bool open() const;

    live_feed& feed_;
    http::stream_exchange* by_ = nullptr;

    mutable std::mutex mutex_;
    std::vector<http::piece> queue_;
    std::size_t queued_size_ = 0;
    state state_ = state::open;

    // The feed's, under its lock.
    const event_filter filter_;
    const bool until_settled_;
    feed_position at_;          // up to where it has been offered everything
    order_version version_{0};  // of its order, while it catches up
    bool settled_ = false;      // so is that order, at that version
    bool live_ = false;
    bool touched_ = false;  // is to be woken
    std::atomic<bool> catching_up_{true};
};

}  // namespace orderproc::server

#endif
