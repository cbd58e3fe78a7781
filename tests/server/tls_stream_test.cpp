// The bytes of a client over TLS, between two real sockets.

#include "tls/tls_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

using namespace orderproc::server;
namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Of a server that vouches for itself.
std::shared_ptr<ssl::context> self_signed() {
    auto out = std::make_shared<ssl::context>(ssl::context::tls_server);
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    BOOST_REQUIRE(SSL_CTX_use_certificate(out->native_handle(), certificate) == 1);
    BOOST_REQUIRE(SSL_CTX_use_PrivateKey(out->native_handle(), key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return out;
}

// Both ends, with buffers that hold a few KiB in between.
struct both_ends : http::byte_stream_user {
    both_ends() {
        tcp::acceptor acceptor(server_side, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        acceptor.set_option(asio::socket_base::send_buffer_size(4096));
        client.next_layer().open(tcp::v4());
        client.next_layer().set_option(asio::socket_base::receive_buffer_size(4096));
        client.next_layer().connect(acceptor.local_endpoint());
        stream = tls::make_tls_stream(acceptor.accept(), self_signed(), handshakes);
    }
    ~both_ends() {
        work.reset();
        if (loop.joinable()) loop.join();
    }
    void start() {
        stream->read_some(asio::buffer(in), *this);
        loop = std::thread([this] { server_side.run(); });
    }
    // In the stream's thread, and waits for it.
    template <class Step>
    void there(Step step) {
        std::promise<void> done;
        asio::post(server_side, [&] {
            step();
            done.set_value();
        });
        done.get_future().wait();
    }
    void on_read(error_code ec, std::size_t) noexcept override {
        if (!std::exchange(told, true)) first_read.set_value(ec);
    }
    void on_writable(error_code) noexcept override {}

    asio::io_context server_side, client_side;
    asio::executor_work_guard<asio::io_context::executor_type> work{server_side.get_executor()};
    tls::handshake_counts handshakes;
    ssl::context trusting{ssl::context::tls_client};
    ssl::stream<tcp::socket> client{client_side, trusting};
    std::unique_ptr<http::byte_stream> stream;
    std::array<char, 4096> in{};
    bool told = false;
    std::promise<error_code> first_read;
    std::thread loop;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tls_stream, both_ends)

// As TCP delivers what it was given before it was closed: the server may stop, or the client may be
// idle for too long, as far as the server knows. Nobody has said that this was all.
BOOST_AUTO_TEST_CASE(what_was_written_arrives_although_it_is_closed_at_once) {
    start();
    client.handshake(ssl::stream_base::client);
    asio::write(client, asio::buffer("ask", 3));
    BOOST_REQUIRE(!first_read.get_future().get());
    BOOST_TEST(handshakes.done == 1U);
    BOOST_TEST(handshakes.failed == 0U);
    BOOST_TEST(handshakes.under_way == 0U);
    const std::string text(60'000, 'x');
    there([&] {
        const asio::const_buffer all = asio::buffer(text);
        error_code ec;
        BOOST_REQUIRE(stream->write_some({&all, 1}, ec) == text.size());
        stream->close();
    });
    std::string got(text.size() + 1, '\0');
    error_code ec;
    const std::size_t size = asio::read(client, asio::buffer(got), ec);
    BOOST_TEST(size == text.size());
    BOOST_TEST(ec == ssl::error::stream_truncated, ec.message());
    client.shutdown(ec);
}

// A reset might take the answer away again from a client that has not read it yet.
BOOST_AUTO_TEST_CASE(plain_http_is_answered_without_a_reset) {
    const std::string twice = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    asio::write(client.next_layer(), asio::buffer(twice));
    start();
    BOOST_TEST(first_read.get_future().get() == asio::error::eof);
    there([&] { stream->close(); });
    std::string got;
    error_code ec;
    asio::read(client.next_layer(), asio::dynamic_buffer(got), ec);
    BOOST_TEST(ec == asio::error::eof, ec.message());
    BOOST_TEST(got.starts_with("HTTP/1.1 400 "));
}

BOOST_AUTO_TEST_CASE(a_handshake_that_fails_is_counted) {
    constexpr unsigned char nonsense[] = {0x16, 3, 1, 0, 4, 9, 9, 9, 9};
    asio::write(client.next_layer(), asio::buffer(nonsense));
    start();
    BOOST_TEST(!!first_read.get_future().get());
    there([&] { stream->close(); });
    BOOST_TEST(handshakes.failed == 1U);
    BOOST_TEST(handshakes.done == 0U);
    BOOST_TEST(handshakes.under_way == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
