#ifndef ORDERPROC_QUEUE_RABBITMQ_PUBLISHER_HPP
#define ORDERPROC_QUEUE_RABBITMQ_PUBLISHER_HPP

#include "queue/rabbitmq/connection.hpp"
#include "queue/rabbitmq/content.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace orderproc::detail::rabbitmq {

// Publisher confirms (rabbitmq.com/docs/confirms): the broker counts what is published on the
// channel from 1, and so do our tags. A basic.return comes before the ack of its message, but
// others' acks may stand between, so it is told by what it carries: returns keep the order of
// publishing, so it is the first such message that was not returned yet.
class confirmed_publisher final : public publisher {
public:
    // The channel of `on` confirms and nothing was published yet.
    confirmed_publisher(std::unique_ptr<connection> on, std::string exchange, std::size_t window,
                        std::size_t headers = headers_max)
        : connection_(std::move(on)),
          exchange_(std::move(exchange)),
          window_(window),
          limits_{headers, connection_->frame_bytes()} {}

    result<publish_tag> submit(const message& what) override;
    result<void> poll(milliseconds wait, std::vector<published>& out) override;

private:
    struct sent {
        bool decided = false;
        bool must_route = false;
        bool returned = false;
        std::string id;  // and topic: of those that must be routed
        std::string topic;
    };

    result<void> read(milliseconds wait);
    result<void> handle(const amqp_frame_t& frame);
    result<void> confirm(std::uint64_t tag, bool multiple, error_code ec);
    void decide(std::size_t index, error_code ec);
    void returned(const message& what);
    result<bool> may_send(std::size_t size);

    const std::unique_ptr<connection> connection_;
    const std::string exchange_;
    const std::size_t window_;
    const limits limits_;
    std::deque<sent> sent_;        // from the first that is not decided
    std::uint64_t first_tag_ = 1;  // of sent_
    std::size_t undecided_ = 0;
    std::vector<published> decided_;
    std::size_t writable_ = 0;  // bytes that the socket takes for sure
    outgoing outgoing_;
    incoming return_;
};

}  // namespace orderproc::detail::rabbitmq

#endif
