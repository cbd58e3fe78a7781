#ifndef ORDERPROC_SERVER_API_EVENT_STREAM_HPP
#define ORDERPROC_SERVER_API_EVENT_STREAM_HPP

// The live feed as server-sent events (html.spec.whatwg.org, 9.2).

#include "auth/principal.hpp"
#include "http/body_source.hpp"

#include <orderproc/feed.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// Of a feed whose subscribers get each entry as an event with a CloudEvent of this source, and
// orders of this model, which outlives the feed. REQUIRES: is_event_source(source).
live_feed_options event_feed(std::string source,
                             const order_model& model = order_model::standard());
// The same for subscribers that are bound: see conceal().
live_feed_options bound_event_feed(std::string source,
                                   const order_model& model = order_model::standard());

// A body to send as text/event-stream. Subscribes when it is started.
class event_stream final : public http::body_source, private feed_listener {
public:
    // The feed, which event_feed() describes, must outlive it. from: the position that the client
    // is told to continue after, should no event come; none: it knows one. It is over when the
    // credential of the one who asked has ended.
    event_stream(live_feed& feed, feed_request what, std::optional<feed_position> from,
                 auth::principal_ptr who);

    void start(http::stream_exchange& by) override;
    state take(std::vector<http::piece>& out, std::size_t most, std::size_t most_pieces) override;
    bool over() const noexcept override { return who_->ended(auth::principal::use::stream); }
    std::string_view heartbeat() const noexcept override { return ":\n\n"; }

private:
    void ready() noexcept override;

    live_feed& feed_;
    const auth::principal_ptr who_;
    feed_request what_;  // moved from once started
    http::piece first_;  // empty once taken
    http::stream_exchange* by_ = nullptr;
    std::unique_ptr<feed_subscription> subscription_;
};

}  // namespace orderproc::server

#endif
