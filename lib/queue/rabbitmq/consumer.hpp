#ifndef ORDERPROC_QUEUE_RABBITMQ_CONSUMER_HPP
#define ORDERPROC_QUEUE_RABBITMQ_CONSUMER_HPP

#include "queue/rabbitmq/connection.hpp"
#include "queue/rabbitmq/content.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orderproc::detail::rabbitmq {

using poison_publisher_factory = std::function<result<std::unique_ptr<publisher>>()>;

// Tags are the broker's: it counts deliveries of the channel from 1.
class acknowledging_consumer final : public consumer {
public:
    // The channel of `on` consumes already. connect_poison is called when there is some.
    acknowledging_consumer(std::unique_ptr<connection> on, std::string poison_queue,
                           milliseconds timeout, poison_publisher_factory connect_poison)
        : connection_(std::move(on)),
          poison_queue_(std::move(poison_queue)),
          timeout_(timeout),
          connect_poison_(std::move(connect_poison)) {}

    result<void> receive(std::size_t limit, milliseconds wait, std::vector<delivery>& out) override;
    result<void> settle(std::span<const settlement> what) override;

private:
    // ready: not handed out yet.
    enum class state : std::uint8_t { ready, unsettled, settling, settled };
    struct held {
        state is = state::ready;
        bool redelivered = false;
        message body;  // kept: poison needs it
    };

    result<void> read(std::size_t limit, milliseconds wait);
    result<void> handle(const amqp_frame_t& frame);
    void keep_poison_connection();

    bool begin_settling(std::span<const settlement> what);
    void take_back(std::span<const settlement> what);
    result<void> put_aside(std::span<const settlement> what);
    result<void> publish_poison(const std::vector<message>& what);
    result<void> requeue(std::span<const settlement> what);
    result<void> acknowledge(std::span<const settlement> what);
    held& at(delivery_tag tag) { return held_[static_cast<std::uint64_t>(tag) - first_tag_]; }

    const std::unique_ptr<connection> connection_;
    const std::string poison_queue_;
    const milliseconds timeout_;
    const poison_publisher_factory connect_poison_;
    std::unique_ptr<publisher> poison_;

    std::deque<held> held_;        // from the first that is not settled
    std::uint64_t first_tag_ = 1;  // of held_
    std::size_t ready_ = 0;        // the last so many of held_ are
    bool next_redelivered_ = false;
    incoming incoming_;
};

}  // namespace orderproc::detail::rabbitmq

#endif
