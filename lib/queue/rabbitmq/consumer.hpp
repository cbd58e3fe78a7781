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
    acknowledging_consumer(std::unique_ptr<connection> on, const consumer_params& params,
                           milliseconds timeout, poison_publisher_factory connect_poison)
        : connection_(std::move(on)),
          poison_queue_(params.poison_queue),
          keep_payloads_(params.keep_payloads),
          receive_bytes_max_(params.receive_bytes_max),
          timeout_(timeout),
          connect_poison_(std::move(connect_poison)) {}

    result<void> receive(std::size_t limit, milliseconds wait, std::vector<delivery>& out) override;
    result<void> acknowledge(std::span<const acknowledgement> what) override;

private:
    // ready: not handed out yet.
    enum class state : std::uint8_t { ready, unacknowledged, settling, settled };
    struct held {
        std::uint64_t tag = 0;
        state is = state::ready;
        bool redelivered = false;
        message body;  // poison needs it
    };

    result<void> read(std::size_t limit, milliseconds wait);
    result<void> handle(const amqp_frame_t& frame);
    void keep_poison_connection();

    void forget_payloads() noexcept;
    void forget_settled();

    bool begin_acknowledging(std::span<const acknowledgement> what);
    void take_back(std::span<const acknowledgement> what);
    result<void> put_aside(std::span<const acknowledgement> what);
    result<void> publish_poison(const std::vector<message>& what);
    result<void> requeue(std::span<const acknowledgement> what);
    result<void> ack(std::span<const acknowledgement> what);
    held* find(delivery_tag tag) noexcept;  // nullptr: not held
    held& at(delivery_tag tag) noexcept { return *find(tag); }
    void mark_settled(held& it) noexcept;
    // Of the first that was not handed out.
    std::uint64_t first_ready() const noexcept { return next_tag_ - ready_; }

    const std::unique_ptr<connection> connection_;
    const std::string poison_queue_;
    const bool keep_payloads_;
    const std::size_t receive_bytes_max_;
    const milliseconds timeout_;
    const poison_publisher_factory connect_poison_;
    std::unique_ptr<publisher> poison_;

    // By tag: all that are not settled and, until there are too many of them, some that are.
    std::deque<held> held_;
    std::uint64_t next_tag_ = 1;   // of the next delivery
    std::size_t ready_ = 0;        // the last so many of held_ are
    std::size_t ready_bytes_ = 0;  // of their payloads
    std::size_t settled_ = 0;      // so many of held_ are
    std::uint64_t kept_from_ = 1;  // deliveries before this tag have lost their payloads
    bool next_redelivered_ = false;
    incoming incoming_;
};

}  // namespace orderproc::detail::rabbitmq

#endif
