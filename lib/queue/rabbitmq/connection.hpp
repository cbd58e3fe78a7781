#ifndef ORDERPROC_QUEUE_RABBITMQ_CONNECTION_HPP
#define ORDERPROC_QUEUE_RABBITMQ_CONNECTION_HPP

// One AMQP connection with one channel, set up the way this adapter needs it.

#include "queue/rabbitmq/url.hpp"

#include <orderproc/queue.hpp>
#include <orderproc/rabbitmq.hpp>

#include <amqp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace orderproc::detail::rabbitmq {

using std::chrono::milliseconds;

inline amqp_bytes_t bytes(std::string_view text) noexcept {
    // amqp_bytes_t points to what is not const; nothing here writes to it.
    return {text.size(), const_cast<char*>(text.data())};
}
inline std::string_view view(const amqp_bytes_t& it) noexcept {
    return {static_cast<const char*>(it.bytes), it.len};
}

// The first failure sticks: everything after it answers the same.
class connection {
public:
    static constexpr amqp_channel_t channel = 1;

    // Tries the hosts in turn; the failure is that of the last one.
    static result<std::unique_ptr<connection>> open(const address& to,
                                                    const rabbitmq_options& with);
    // Says good-bye if the broker listens, within a second or so.
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // errc::schema_mismatch: it is there and different.
    result<void> declare_exchange(const std::string& name);
    result<void> declare_queue(const queue_declaration& what, const std::string& exchange);
    result<void> select_confirms();
    result<void> consume(const std::string& queue, std::uint16_t prefetch);

    // True: a frame of the channel, valid until the next call. False: none came, or one that let
    // submit() go on. Sends and expects heartbeats.
    result<bool> next(milliseconds wait, amqp_frame_t& out);
    // Whether the socket takes another 32 KiB at once, and whether there is something to read.
    struct readiness {
        bool writable = false;
        bool readable = false;
    };
    readiness look() const noexcept;
    static constexpr std::size_t writable_bytes = 32 * 1024;

    // While gathering, what is written goes out in full segments; the rest when it ends, or after
    // 200 ms (tcp(7), TCP_CORK). The broker then reads many messages at once.
    void gather(bool on) noexcept;

    // The most that a frame may take, as agreed with the broker.
    std::size_t frame_bytes() const noexcept;
    bool blocked() const noexcept { return blocked_; }  // by an alarm
    const std::optional<failure>& failed() const noexcept { return failure_; }
    failure fail(std::string text, errc value = errc::unavailable);
    // Of a call that wrote: a negative status is the end of the connection.
    result<void> wrote(int status);

    amqp_connection_state_t handle() const noexcept { return state_; }

private:
    explicit connection(std::string name);

    result<void> reach(const endpoint& to, bool tls, const rabbitmq_options& with);
    result<void> reach_over_tls(const endpoint& to, const rabbitmq_options& with, timeval timeout);
    result<void> log_in(const address& to, const rabbitmq_options& with);
    result<void> answered(std::string_view doing);
    result<void> handle_connection_frame(const amqp_frame_t& frame, bool& unblocked);
    result<bool> handle_channel_frame(const amqp_frame_t& frame);

    amqp_connection_state_t state_;
    std::string name_;  // of the host, for texts
    std::string user_;  // not for texts
    bool logged_in_ = false;
    bool blocked_ = false;
    bool gathering_ = false;
    std::optional<failure> failure_;
};

}  // namespace orderproc::detail::rabbitmq

#endif
