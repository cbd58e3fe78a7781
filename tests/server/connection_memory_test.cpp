// Connections for which there is no memory, over real sockets.

#include "client.hpp"
#include "echo_service.hpp"
#include "http/server.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

// There is memory for so many reads, all connections together, and then for none.
class forgetful_maker final : public http::stream_maker {
public:
    std::unique_ptr<http::byte_stream> make(boost::asio::ip::tcp::socket socket) override {
        return std::make_unique<one>(*this, http::make_tcp_stream(std::move(socket)));
    }
    bool crowded() const noexcept override { return false; }
    std::atomic<int> reads_left{0};

private:
    class one final : public http::byte_stream {
    public:
        one(forgetful_maker& owner, std::unique_ptr<http::byte_stream> inner)
            : owner_(owner), inner_(std::move(inner)) {}
        void read_some(boost::asio::mutable_buffer into, http::byte_stream_user& to) override {
            if (owner_.reads_left-- <= 0) throw std::bad_alloc();
            inner_->read_some(into, to);
        }
        std::size_t write_some(std::span<const boost::asio::const_buffer> bytes,
                               boost::system::error_code& ec) override {
            return inner_->write_some(bytes, ec);
        }
        void wait_writable(http::byte_stream_user&) override { throw std::bad_alloc(); }
        bool writes_beside_reads() const noexcept override { return true; }
        bool readable() noexcept override { return inner_->readable(); }
        bool was_reset() noexcept override { return inner_->was_reset(); }
        void shutdown(boost::system::error_code& ec) noexcept override { inner_->shutdown(ec); }
        void cancel() noexcept override { inner_->cancel(); }
        void close() noexcept override { inner_->close(); }

    private:
        forgetful_maker& owner_;
        const std::unique_ptr<http::byte_stream> inner_;
    };
};

}  // namespace

// Wherever memory runs out, the connection is dropped, and the server can still stop.
BOOST_AUTO_TEST_CASE(a_connection_without_memory_is_dropped) {
    echo_service service;
    forgetful_maker over;
    const auto server = http::server::open({}, service, {&over}).value();
    const auto get = [](const char* path) {
        return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    const struct {
        int reads;
        std::string request;
    } rows[] = {{0, ""}, {1, get("/")}, {1, get("/large")}, {1, get("/elsewhere")}};
    for (const auto& row : rows) {
        over.reads_left = row.reads;
        client caller(server->port());
        caller.send(row.request);
        caller.take(SIZE_MAX);  // until the server closes
    }
    service.release(1);
    service.wait_for_the_end();
    server->stop(std::chrono::minutes(1));
    server->join();
    BOOST_TEST(server->connections() == 0U);
}
