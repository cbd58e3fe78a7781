#ifndef ORDERPROC_SERVER_HTTP_STREAM_HPP
#define ORDERPROC_SERVER_HTTP_STREAM_HPP

// Connections whose last answer is being made while it is sent. They need no buffers to read
// into and no parser, so that thousands may listen. Internal to the transport.

#include "http/body_source.hpp"
#include "http/byte_stream.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace orderproc::server::http {

class io_thread;
class stream_set;

// What a connection leaves to the stream that takes over its client.
struct stream_start {
    std::unique_ptr<byte_stream> client;
    boost::asio::ip::address from;
    std::string head;      // the answer's, and whatever is still to be sent before it
    bool chunked = false;  // else the body ends with the connection
    std::unique_ptr<body_source> source;
};

// Always waits for its client to go away; at times also for room to write. Lives until it is
// closed and nothing of that is under way.
class stream final : private stream_exchange, private byte_stream_user {
public:
    stream(io_thread& home, stream_set& owner, stream_start what);

    void start();
    void resume();                        // after wake()
    void check_time(std::uint64_t tick);  // may end it, but never destroys it
    void drain() noexcept;                // breaks the body off
    void close() noexcept;                // drops it

private:
    friend class stream_set;  // links it into its lists

    void wake() noexcept override;
    void on_read(boost::system::error_code ec, std::size_t size) noexcept override;
    void on_writable(boost::system::error_code ec) noexcept override;

    template <class Step>
    void protect(Step&& go) noexcept;
    template <class Step>
    void guarded(Step&& go) noexcept;
    void pump();
    void fill();
    void beat();
    void frame();
    void break_off() noexcept;
    bool flush();  // true: all is sent
    void finish();
    void wait_for_room();
    void watch_peer();
    void drop(boost::system::error_code ec, std::size_t size);
    bool busy() const noexcept { return watching_ || writing_ || woken_.load(); }

    io_thread& home_;
    stream_set& owner_;
    const std::unique_ptr<byte_stream> client_;
    const boost::asio::ip::address from_;
    std::unique_ptr<body_source> source_;
    const bool chunked_;

    std::vector<piece> pieces_;   // of one write
    std::size_t piece_ = 0;       // the first that is not wholly sent…
    std::size_t piece_sent_ = 0;  // …and how much of it is
    std::array<char, 20> frame_{};

    std::atomic<bool> woken_{false};
    bool watching_ = false;
    bool writing_ = false;
    bool ended_ = false;     // nothing more is made
    bool finished_ = false;  // all is sent: only the client's end is waited for
    bool closed_ = false;
    std::uint64_t deadline_ = 0;  // a tick; 0: none
    std::uint64_t heartbeat_ = 0;
    std::size_t dropped_ = 0;  // bytes that the client sent, though it was told not to

    stream* next_ = nullptr;
    stream* previous_ = nullptr;
    stream* next_woken_ = nullptr;
};

// Those of one thread. All but woken() is for that thread.
class stream_set {
public:
    explicit stream_set(io_thread& home) : home_(home) {}
    ~stream_set();

    void adopt(stream_start what);
    void release(stream& it) noexcept;  // destroys it
    bool empty() const noexcept { return first_ == nullptr; }

    void check_time(std::uint64_t tick);
    void drain() noexcept;
    void close() noexcept;

    // Its resume() is called soon. From any thread. All that come before the thread looks share
    // one post.
    void woken(stream& it) noexcept;

private:
    void resume_woken();

    io_thread& home_;
    stream* first_ = nullptr;
    std::atomic<stream*> woken_{nullptr};
    std::atomic<std::size_t> waking_{0};  // threads inside woken()
};

}  // namespace orderproc::server::http

#endif
