#ifndef ORDERPROC_SERVER_CLIENT_CLIENT_STREAM_HPP
#define ORDERPROC_SERVER_CLIENT_CLIENT_STREAM_HPP

// The bytes to and from one server, with a deadline, as Beast's algorithms use them.

#include "http/byte_stream.hpp"
#include "http/stream_maker.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace orderproc::server {

// An AsyncReadStream and AsyncWriteStream in Beast's sense, over whatever byte_stream was made when
// it was connected. One thing at a time is under way: connecting, a read, a write, or watching. To
// be used on the thread of the io_context. Not final, because Asio derives from it to look at it.
class client_stream : private http::byte_stream_user {
public:
    using executor_type = boost::asio::io_context::executor_type;
    using instant = std::chrono::steady_clock::time_point;
    using io_handler =
        boost::asio::any_completion_handler<void(boost::system::error_code, std::size_t)>;

    explicit client_stream(boost::asio::io_context& on);
    ~client_stream();  // REQUIRES: nothing is under way.
    client_stream(const client_stream&) = delete;
    client_stream& operator=(const client_stream&) = delete;

    // What is under way then, or begins later, ends with beast::error::timeout, and the connection
    // is closed. instant::max(): never.
    void expires_at(instant when);
    // REQUIRES: it is not connected.
    boost::asio::awaitable<boost::system::error_code> connect(boost::asio::ip::tcp::endpoint to);
    // REQUIRES: it is connected, and not open yet.
    boost::asio::ip::tcp::endpoint peer() const noexcept;
    // Then, before anything is read or written: over what the bytes go. with: TLS with the server
    // of this name, after its handshake; nullptr: plain TCP.
    boost::asio::awaitable<boost::system::error_code> open(http::client_stream_maker* with,
                                                           const std::string& host);
    void close() noexcept;  // ends what is under way

    // Calls gone() if anything comes, or the end, before unwatch(); it may destroy the stream. What
    // comes is lost.
    void watch(std::function<void()> gone);
    // True: nothing has come, and the connection can be used again.
    boost::asio::awaitable<bool> unwatch();

    executor_type get_executor() const noexcept { return context_.get_executor(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& into, Token&& token) {
        boost::asio::mutable_buffer room;
        for (auto it = boost::asio::buffer_sequence_begin(into);
             room.size() == 0 && it != boost::asio::buffer_sequence_end(into); ++it) {
            room = *it;
        }
        return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this, room](io_handler done) { read(room, std::move(done)); }, token);
    }
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& bytes, Token&& token) {
        written_count_ = 0;
        for (auto it = boost::asio::buffer_sequence_begin(bytes);
             written_count_ < written_.size() && it != boost::asio::buffer_sequence_end(bytes);
             ++it) {
            written_[written_count_++] = *it;
        }
        return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
            [this](io_handler done) { write(std::move(done)); }, token);
    }

private:
    void on_read(boost::system::error_code ec, std::size_t size) noexcept override;
    void on_writable(boost::system::error_code ec) noexcept override;

    void run_timer();
    void read(boost::asio::mutable_buffer into, io_handler done);
    void write(io_handler done);
    boost::system::error_code told(boost::system::error_code ec) const noexcept;

    boost::asio::io_context& context_;
    boost::asio::ip::tcp::socket socket_;        // while it is being connected
    std::unique_ptr<http::byte_stream> stream_;  // once it is
    boost::asio::any_completion_handler<void()> opened_;
    boost::system::error_code open_error_;
    io_handler read_done_, write_done_;
    std::array<boost::asio::const_buffer, 16> written_;
    std::size_t written_count_ = 0;

    char unasked_ = 0;
    boost::asio::any_completion_handler<void(bool)> unwatched_;

    boost::asio::steady_timer timer_;
    instant deadline_ = instant::max();
    instant timer_ends_ = instant::max();  // it may be before the deadline; max: it does not run
    bool expired_ = false;
    std::shared_ptr<const char> alive_;  // for the timer, which may have fired already
};

}  // namespace orderproc::server

#endif
