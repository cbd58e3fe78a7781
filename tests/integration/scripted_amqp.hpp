#ifndef ORDERPROC_TESTS_INTEGRATION_SCRIPTED_AMQP_HPP
#define ORDERPROC_TESTS_INTEGRATION_SCRIPTED_AMQP_HPP

// An AMQP 0-9-1 server of a test's own that says what the test's script says, down to the byte.
// Each script has one connection.

#include "amqp_wire.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace shop_test {

// What the server says and hears on one connection. Throws where the client ends it, or says
// something else than is awaited.
class amqp_peer {
public:
    explicit amqp_peer(int socket) : socket_(socket) {
        const timeval timeout{60, 0};  // far above what is needed
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        const int at_once = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    }
    ~amqp_peer() { ::close(socket_); }
    amqp_peer(const amqp_peer&) = delete;
    amqp_peer& operator=(const amqp_peer&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) throw std::runtime_error("the client takes nothing");
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    static std::string says(std::uint32_t method, const amqp_bytes& arguments) {
        const std::uint16_t channel = method >> 16 == 10 ? 0 : 1;
        return amqp_frame(method_frame, channel,
                          amqp_bytes().u32(method).text() + arguments.text());
    }
    void say(std::uint32_t method, const amqp_bytes& arguments = {}) {
        send(says(method, arguments));
    }

    // The first thing that a client says is no frame.
    void hear_greeting() {
        if (read(8) != std::string_view("AMQP\x00\x00\x09\x01", 8)) {
            throw std::runtime_error("that is not AMQP 0-9-1");
        }
    }
    // Of the next frame that is no heartbeat: its method, or its type if it is content.
    std::uint32_t hear() {
        for (;;) {
            const std::string head = read(7);
            payload_ = read(number(head.substr(3)));
            read(1);
            const auto type = static_cast<std::uint8_t>(head[0]);
            if (type == method_frame) return number(payload_.substr(0, 4));
            if (type == header_frame || type == body_frame) return type;
        }
    }
    void hear(std::uint32_t expected) {
        const std::uint32_t heard = hear();
        if (heard == expected) return;
        throw std::runtime_error("heard " + std::to_string(heard >> 16) + "." +
                                 std::to_string(heard & 0xffff) + ", expected " +
                                 std::to_string(expected >> 16) + "." +
                                 std::to_string(expected & 0xffff));
    }
    // Bytes of the frame that was heard last.
    std::size_t heard() const { return payload_.size(); }
    // Messages with a body of one frame.
    void hear_published(std::size_t count) {
        for (; count > 0; --count) {
            hear(basic_publish);
            hear(header_frame);
            hear(body_frame);
        }
    }
    void hear_end() {
        try {
            while (hear() != connection_close) {
            }
            say(connection_close_ok);
        } catch (const std::runtime_error&) {  // it ends without a word
        }
    }

    // Up to the exchange, which everybody declares.
    void greet(std::uint32_t frame_max = 131072) {
        hear_greeting();
        say(connection_start,
            amqp_bytes().u8(0).u8(9).u32(0).long_text("PLAIN").long_text("en_US"));
        hear(connection_start_ok);
        say(connection_tune, amqp_bytes().u16(0).u32(frame_max).u16(60));
        hear(connection_tune_ok);
        hear(connection_open);
        say(connection_open_ok, amqp_bytes().u8(0));
        hear(channel_open);
        say(channel_open_ok, amqp_bytes().u32(0));
        hear(exchange_declare);
        say(exchange_declare_ok);
    }
    // Up to, and not with, the answer to the last of what a publisher without queues asks.
    void log_in(std::uint32_t frame_max = 131072) {
        greet(frame_max);
        hear(confirm_select);
    }
    // All that a consumer asks that binds its queue to one topic, and has another one for poison.
    void open_consumer() {
        greet();
        declare_queue();
        hear(queue_bind);
        say(queue_bind_ok);
        declare_queue();
        hear(basic_qos);
        say(basic_qos_ok);
        hear(basic_consume);
        say(basic_consume_ok, amqp_bytes().short_text("c"));
    }
    void declare_queue() {
        hear(queue_declare);
        say(queue_declare_ok, amqp_bytes().short_text("q").u32(0).u32(0));
    }
    void deliver(std::uint64_t tag, std::string_view body) {
        say(basic_deliver,
            amqp_bytes().short_text("c").u64(tag).u8(0).short_text("events").short_text("t"));
        send(amqp_frame(header_frame, 1,
                        amqp_bytes().u16(60).u16(0).u64(body.size()).u16(0).text()));
        if (!body.empty()) send(amqp_frame(body_frame, 1, body));
    }
    void open(std::uint32_t frame_max = 131072) {
        log_in(frame_max);
        say(confirm_select_ok);
    }

    void ack(std::uint64_t tag, bool multiple = false) {
        say(basic_ack, amqp_bytes().u64(tag).u8(multiple ? 1 : 0));
    }
    void nack(std::uint64_t tag, bool multiple = false) {
        say(basic_nack, amqp_bytes().u64(tag).u8(multiple ? 1 : 0));
    }
    void give_back(std::string_view topic, std::string_view id, std::string_view body) {
        constexpr std::uint16_t with_id = 1 << 7;
        say(basic_return,
            amqp_bytes().u16(312).short_text("NO_ROUTE").short_text("to").short_text(topic));
        send(amqp_frame(
            header_frame, 1,
            amqp_bytes().u16(60).u16(0).u64(body.size()).u16(with_id).short_text(id).text()));
        for (constexpr std::size_t piece = 1000; !body.empty();) {
            const std::string_view part = body.substr(0, piece);
            send(amqp_frame(body_frame, 1, part));
            body.remove_prefix(part.size());
        }
    }
    void close(std::uint32_t what, std::uint16_t code, std::string_view text) {
        say(what, amqp_bytes().u16(code).short_text(text).u32(basic_publish));
    }

private:
    static std::uint32_t number(std::string_view bytes) {
        std::uint32_t out = 0;
        for (const char it : bytes) out = out << 8 | static_cast<std::uint8_t>(it);
        return out;
    }
    std::string read(std::size_t size) {
        std::string out(size, '\0');
        for (std::size_t at = 0; at < size;) {
            const ssize_t n = ::recv(socket_, out.data() + at, size - at, 0);
            if (n < 0 && errno == EAGAIN)
                throw std::logic_error("the client neither speaks nor ends");
            if (n <= 0) throw std::runtime_error("the client says nothing more");
            at += static_cast<std::size_t>(n);
        }
        return out;
    }

    const int socket_;
    std::string payload_;
};

// Plays its scripts to the connections that come, one after the other.
class scripted_amqp {
public:
    using script = std::function<void(amqp_peer&)>;

    explicit scripted_amqp(std::vector<script> scripts)
        : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const address = reinterpret_cast<sockaddr*>(&at);
        if (bind(listener_, address, size) != 0 || listen(listener_, 8) != 0 ||
            getsockname(listener_, address, &size) != 0) {
            throw std::runtime_error("no socket to listen at");
        }
        port_ = ntohs(at.sin_port);
        thread_ = std::thread([this, all = std::move(scripts)] { play(all); });
    }
    ~scripted_amqp() { end(); }
    scripted_amqp(const scripted_amqp&) = delete;
    scripted_amqp& operator=(const scripted_amqp&) = delete;

    std::string url() const { return "amqp://127.0.0.1:" + std::to_string(port_); }

    // After the last script; throws what went wrong in one.
    void finish() {
        end();
        if (wrong_) std::rethrow_exception(wrong_);
    }

private:
    void end() {
        if (!thread_.joinable()) return;
        shutdown(listener_, SHUT_RDWR);  // for a connection that never came
        thread_.join();
        ::close(listener_);
    }
    void play(const std::vector<script>& all) {
        try {
            for (const script& it : all) {
                const int connected = accept(listener_, nullptr, nullptr);
                if (connected < 0) throw std::runtime_error("nobody connected");
                amqp_peer peer(connected);
                it(peer);
            }
        } catch (...) {
            wrong_ = std::current_exception();
        }
    }

    const int listener_;
    std::uint16_t port_ = 0;
    std::exception_ptr wrong_;
    std::thread thread_;
};

}  // namespace shop_test

#endif
