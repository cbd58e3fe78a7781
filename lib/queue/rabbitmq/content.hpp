#ifndef ORDERPROC_QUEUE_RABBITMQ_CONTENT_HPP
#define ORDERPROC_QUEUE_RABBITMQ_CONTENT_HPP

// Messages as AMQP content: properties, then the body in pieces.

#include <orderproc/queue.hpp>

#include <amqp.h>
#include <amqp_framing.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace orderproc::detail::rabbitmq {

// In bytes: of the headers, and of a frame with all that it takes.
struct limits {
    std::size_t headers = 0;
    std::size_t frame = 0;
};
inline constexpr std::size_t headers_max = 64 * 1024;
// A message's own, and what poison carries beside them.
inline constexpr std::size_t poison_headers_max = headers_max + 4096;

// Whether AMQP can carry it.
bool fits(const message& what, const limits& at_most) noexcept;
// A guess at what it takes on the wire, not too low.
std::size_t wire_size(const message& what) noexcept;

// Properties of one message at a time; what they point to is the message's.
class outgoing {
public:
    const amqp_basic_properties_t& properties_of(const message& what);

private:
    amqp_basic_properties_t properties_{};
    std::vector<amqp_table_entry_t> headers_;
};

// Gathers a content that follows basic.deliver or basic.return.
class incoming {
public:
    void begin(std::string_view topic);
    // False: it was not to come now.
    bool add(const amqp_frame_t& frame);
    bool under_way() const noexcept { return stage_ != stage::none; }
    bool complete() const noexcept { return stage_ == stage::body && left_ == 0; }
    // The broker's own count of earlier deliveries is no header of the message.
    bool counted() const noexcept { return counted_; }
    message take();

private:
    enum class stage : std::uint8_t { none, properties, body };

    void read(const amqp_basic_properties_t& from);

    stage stage_ = stage::none;
    std::uint64_t left_ = 0;  // bytes of the body
    bool counted_ = false;
    message message_;
};

}  // namespace orderproc::detail::rabbitmq

#endif
