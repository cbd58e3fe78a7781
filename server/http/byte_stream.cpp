#include "http/byte_stream.hpp"

#include "http/socket.hpp"

#include <boost/asio/error.hpp>

#include <utility>

namespace orderproc::server::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

class tcp_stream final : public byte_stream {
public:
    explicit tcp_stream(tcp::socket socket) : socket_(std::move(socket)) {
        socket_.non_blocking(true);
    }

    void read_some(asio::mutable_buffer into, byte_stream_user& done) override {
        socket_.async_read_some(
            into, [&done](error_code ec, std::size_t size) { done.on_read(ec, size); });
    }

    std::size_t write_some(std::span<const asio::const_buffer> bytes, error_code& ec) override {
        if (bytes.size() == 1) return socket_.write_some(bytes.front(), ec);  // send(2)
        return socket_.write_some(bytes, ec);                                 // sendmsg(2)
    }

    void wait_writable(byte_stream_user& done) override {
        socket_.async_wait(tcp::socket::wait_write,
                           [&done](error_code ec) { done.on_writable(ec); });
    }

    bool writes_beside_reads() const noexcept override { return true; }

    bool readable() noexcept override { return peek(socket_) != asio::error::would_block; }

    bool was_reset() noexcept override { return peek(socket_) == asio::error::connection_reset; }

    void shutdown(error_code& ec) noexcept override {
        socket_.shutdown(tcp::socket::shutdown_send, ec);
    }

    void cancel() noexcept override {
        error_code ignored;
        socket_.cancel(ignored);
    }

    void close() noexcept override {
        error_code ignored;
        socket_.close(ignored);
    }

private:
    tcp::socket socket_;
};

}  // namespace

std::unique_ptr<byte_stream> make_tcp_stream(tcp::socket socket) {
    return std::make_unique<tcp_stream>(std::move(socket));
}

}  // namespace orderproc::server::http
