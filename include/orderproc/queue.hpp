#ifndef ORDERPROC_QUEUE_HPP
#define ORDERPROC_QUEUE_HPP

// How messages leave and arrive. Delivery is at least once: consumers see duplicates, and
// message::id tells them apart. Useful without orders. Implement broker, publisher and consumer
// to add one, then run testing::broker_cases() against them.

#include <orderproc/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

// Fields and names of headers hold at most 255 bytes each, headers 64 KiB together, where each
// counts 6 more than its name and value (AMQP 0-9-1 puts them into one frame).
struct message {
    std::string id;            // stable: the same however often it is sent and delivered
    std::string topic;         // dotted words: "order.create"
    std::string key;           // messages of one key are sent in the order of submit()
    std::string content_type;  // RFC 9110: "application/cloudevents+json"
    std::vector<std::pair<std::string, std::string>> headers;
    std::string payload;
    bool must_route = false;  // report it if no queue takes the topic

    friend bool operator==(const message&, const message&) = default;
};

enum class publish_tag : std::uint64_t {};  // ascends from 1 on each publisher

// What became of one message. ec 0: the broker has it for good. errc::not_found: it had to be
// routed and no queue took it. errc::unavailable: the broker refused it (nack); submit it again.
struct published {
    publish_tag tag{};
    error_code ec;
};

// One connection, used by one thread at a time. Does not reconnect: on errc::unavailable its owner
// connects again. Nothing here blocks without limit, whatever the broker does.
class ORDERPROC_EXPORT publisher {
public:
    publisher() = default;
    virtual ~publisher() = default;
    publisher(const publisher&) = delete;
    publisher& operator=(const publisher&) = delete;

    // Takes it without waiting for the broker's word. errc::overloaded: as many as the window
    // holds are not reported yet, or the broker holds publishers up; poll() and try again.
    // errc::invalid_argument: longer than a message may be, or than this broker takes.
    virtual result<publish_tag> submit(const message& what) = 0;

    // Appends what the broker has decided meanwhile, in any order, each tag once; waits for the
    // first. Nothing appended means that wait passed, or that submit() may go on. Serves the
    // connection: call it at least every second, also with nothing under way. On failure what was
    // not reported is unknown: connect again and submit it again.
    virtual result<void> poll(std::chrono::milliseconds wait, std::vector<published>& out) = 0;
};

enum class delivery_tag : std::uint64_t {};
struct delivery {
    delivery_tag tag{};
    message body;
    bool redelivered = false;  // perhaps seen before; false proves nothing
};

// ack: done with it. requeue: it comes again. poison: it will never be of use; put aside with the
// reason, for people to look at.
enum class disposition : std::uint8_t { ack, requeue, poison };

// What a message in the poison queue carries beside its own headers, which are left out if they
// are longer than a message's may be.
inline constexpr std::string_view poison_reason_header = "x-poison-reason";
inline constexpr std::string_view poison_topic_header = "x-poison-topic";  // the topic it had

struct acknowledgement {
    delivery_tag tag{};
    disposition how = disposition::ack;
    std::string reason;
};

// Pulled, not pushed: the caller runs at its own pace on its own thread; as the publisher. What is
// not settled when it is destroyed, or its connection lost, is delivered again.
class ORDERPROC_EXPORT consumer {
public:
    consumer() = default;
    virtual ~consumer() = default;
    consumer(const consumer&) = delete;
    consumer& operator=(const consumer&) = delete;

    // Appends at most limit deliveries; waits for the first, not for a full batch. Nothing
    // appended means that wait passed. limit 0 only serves the connection, as long as wait: call
    // either at least every second. What arrives while the limit is 0, prefetch at most, waits in
    // the memory of this process.
    virtual result<void> receive(std::size_t limit, std::chrono::milliseconds wait,
                                 std::vector<delivery>& out) = 0;

    // Each delivery once. On failure none of them may count. errc::invalid_argument: a tag that
    // was not delivered here or is settled; none of them counts.
    virtual result<void> acknowledge(std::span<const acknowledgement> what) = 0;
};

// Durable, shared by the consumers that name it.
struct queue_declaration {
    std::string name;
    // What it is bound to, beside what it already is, as in an AMQP topic exchange: words between
    // dots, "*" for any one word, "#" for any number of them. "order.*"
    std::vector<std::string> topics = {};
    std::size_t length_max = 0;  // messages; beyond it the oldest are dropped. 0: never
};

struct publisher_params {
    std::size_t window = 1000;  // messages that may be under way; at least 1
    // Declared as well, so that what must be routed finds its way before a consumer ever came.
    std::vector<queue_declaration> queues = {};
};

struct consumer_params {
    std::string queue = {};
    std::vector<std::string> topics = {};  // as in queue_declaration
    std::size_t prefetch = 256;  // deliveries that may be unacknowledged at a time; 1 to 65535
    std::size_t length_max = 0;  // as in queue_declaration
    // Where disposition::poison puts things. Read it as any other queue.
    std::string poison_queue = "orderproc.poison";
    // A consumer keeps payload and headers of each delivery until it is settled, in case it turns
    // out to be poison: up to prefetch times as much as the broker lets a message have. false: it
    // may forget both at the next receive(); what is settled as poison after that is put aside
    // without them.
    bool keep_payloads = true;
    // receive() appends no more once it has appended so many bytes of payloads; at least 1.
    std::size_t receive_bytes_max = std::size_t{16} * 1024 * 1024;
};

struct broker_info {
    std::string name;  // "amqp://localhost:5672"; never a secret
};

// Opens connections, and with each declares anew what it needs, so that a broker that lost
// everything is mended by connecting again. Safe to call from any thread; outlives its
// connections.
//
// errc::unavailable: not there, or refused us. errc::schema_mismatch: what is declared there
// differs, naming it and the argument. errc::invalid_argument: params are nonsense.
class ORDERPROC_EXPORT broker {
public:
    broker() = default;
    virtual ~broker() = default;
    broker(const broker&) = delete;
    broker& operator=(const broker&) = delete;

    virtual broker_info info() const = 0;
    virtual result<std::unique_ptr<publisher>> connect_publisher(
        const publisher_params& params) = 0;
    virtual result<std::unique_ptr<consumer>> connect_consumer(const consumer_params& params) = 0;
};

}  // namespace v1
}  // namespace orderproc

#endif
