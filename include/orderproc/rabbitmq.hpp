#ifndef ORDERPROC_RABBITMQ_HPP
#define ORDERPROC_RABBITMQ_HPP

// Queues in RabbitMQ 3.10 or later, over AMQP 0-9-1 with publisher confirms.
//
// Messages go to a durable topic exchange, with topic as the routing key, id as message_id, key as
// correlation_id, and persistent. Queues are durable quorum queues; those with a limit drop their
// head (rabbitmq.com/docs/maxlength). Poison goes to its queue through the default exchange.

#include <orderproc/queue.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace orderproc {
inline namespace v1 {

struct rabbitmq_options {
    // amqp://user:password@host:5672/vhost or amqps://… (rabbitmq.com/docs/uri-spec), with several
    // hosts as host:port,host:port, which are tried in turn. Without a user: guest. No path, or
    // "/" alone, is the vhost "/".
    std::string url = {};
    std::string exchange = "orderproc.events";
    // A connection is lost when the broker was silent for two of these. 1 to 1000 s.
    std::chrono::seconds heartbeat{15};
    // For each host to be reached, for each answer, and for the broker to take what is sent.
    std::chrono::milliseconds timeout = std::chrono::seconds(10);
    // amqps only, PEM. The broker's certificate must be for the host of the URL (RFC 6125, by its
    // subject alternative names) and come from an authority in ca_file or, if that is empty, one
    // that this machine trusts. Ours, if the broker asks for one.
    std::string ca_file = {};
    std::string certificate_file = {};
    std::string key_file = {};
    std::string connection_name = "orderproc";  // for people who look at the broker
};

// Connects to nothing yet. Each publisher and consumer has a connection of its own, and a consumer
// another once it has put poison aside.
//
// errc::invalid_argument: the URL or another option; the text has nothing of the credentials.
ORDERPROC_EXPORT result<std::unique_ptr<broker>> open_rabbitmq(rabbitmq_options options);

}  // namespace v1
}  // namespace orderproc

#endif
