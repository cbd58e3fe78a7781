#include "client/client_stream.hpp"

#include "http/socket.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>

namespace orderproc::server {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

client_stream::client_stream(asio::io_context& on)
    : context_(on), socket_(on), timer_(on), alive_(std::make_shared<const char>()) {}

client_stream::~client_stream() {
    close();
}

// Deadlines move further out several times in a request: a timer that runs is left to run, and
// looks again when it is done.
void client_stream::expires_at(instant when) {
    expired_ = false;
    deadline_ = when;
    if (when < timer_ends_) run_timer();
}

void client_stream::run_timer() {
    timer_.expires_at(deadline_);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](const error_code& ec) {
        if (ec || alive.expired()) return;
        timer_ends_ = instant::max();
        if (deadline_ == instant::max()) return;
        if (std::chrono::steady_clock::now() < deadline_) return run_timer();
        expired_ = true;
        close();
    });
    timer_ends_ = deadline_;
}

asio::awaitable<error_code> client_stream::connect(tcp::endpoint to) {
    error_code ec;
    http::open_socket(socket_, to.protocol(), ec);
    if (!ec) co_await socket_.async_connect(to, asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) socket_.set_option(tcp::no_delay(true), ec);
    if (!ec) co_return ec;
    const error_code why = told(ec);
    socket_.close(ec);
    co_return why;
}

tcp::endpoint client_stream::peer() const noexcept {
    error_code ec;
    return socket_.remote_endpoint(ec);
}

asio::awaitable<error_code> client_stream::open(http::client_stream_maker* with,
                                                const std::string& host) {
    if (!with) {
        stream_ = http::make_tcp_stream(std::move(socket_));
        co_return error_code();
    }
    stream_ = with->make(std::move(socket_), host);
    const auto begin = [this](asio::any_completion_handler<void()> done) {
        opened_.swap(done);
        stream_->wait_writable(*this);
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(begin,
                                                                         asio::use_awaitable);
    co_return told(open_error_);
}

void client_stream::close() noexcept {
    timer_.cancel();
    timer_ends_ = deadline_ = instant::max();
    error_code ignored;
    socket_.close(ignored);
    if (!stream_) return;
    stream_->shutdown(ignored);  // over TLS the other end is told (RFC 9112, 9.8)
    stream_->close();
}

void client_stream::watch(std::function<void()> gone) {
    read(asio::buffer(&unasked_, 1), [this, gone = std::move(gone)](error_code ec, std::size_t) {
        if (!unwatched_) return gone();
        auto done = std::move(unwatched_);
        std::move(done)(ec == asio::error::operation_aborted && !stream_->readable());
    });
}

asio::awaitable<bool> client_stream::unwatch() {
    const auto begin = [this](asio::any_completion_handler<void(bool)> done) {
        unwatched_.swap(done);
        stream_->cancel();
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
        begin, asio::use_awaitable);
}

void client_stream::read(asio::mutable_buffer into, io_handler done) {
    read_done_.swap(done);  // Boost 1.81 wraps what is assigned once more
    stream_->read_some(into, *this);
}

void client_stream::on_read(error_code ec, std::size_t size) noexcept {
    io_handler done = std::move(read_done_);  // it may destroy this object
    std::move(done)(told(ec), size);
}

void client_stream::write(io_handler done) {
    error_code ec;
    const std::size_t size = stream_->write_some({written_.data(), written_count_}, ec);
    if (ec == asio::error::would_block || ec == asio::error::try_again) {
        write_done_.swap(done);
        stream_->wait_writable(*this);
        return;
    }
    asio::post(context_, [done = std::move(done), ec = told(ec), size]() mutable {
        std::move(done)(ec, size);
    });
}

void client_stream::on_writable(error_code ec) noexcept {
    if (opened_) {
        open_error_ = ec;
        auto done = std::move(opened_);
        return std::move(done)();
    }
    io_handler done = std::move(write_done_);
    if (!ec) return write(std::move(done));
    std::move(done)(told(ec), 0);
}

error_code client_stream::told(error_code ec) const noexcept {
    return ec && expired_ ? make_error_code(boost::beast::error::timeout) : ec;
}

}  // namespace orderproc::server
