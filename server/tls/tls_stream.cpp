#include "tls/tls_stream.hpp"

#include "tls/tls_connection.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/x509v3.h>

#include <new>
#include <span>
#include <utility>

namespace orderproc::server::tls {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// The name or address that the certificate has to have, among its alternative names: the common
// name of its subject says nothing (RFC 9525, 6.3).
void expect_host(SSL* of, std::string host) {
    if (host.ends_with('.')) host.pop_back();
    error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(of);
    X509_VERIFY_PARAM_set_hostflags(
        wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const bool done = not_an_address
                          ? SSL_set_tlsext_host_name(of, host.c_str()) == 1 &&
                                X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1
                          : X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
    if (!done) throw std::bad_alloc();  // nothing else can fail
}

class tls_stream final : public http::byte_stream {
public:
    explicit tls_stream(std::shared_ptr<tls_connection> it) : it_(std::move(it)) {}
    ~tls_stream() override { it_->close(); }
    void read_some(asio::mutable_buffer into, http::byte_stream_user& done) override {
        it_->read_some(into, done);
    }
    std::size_t write_some(std::span<const asio::const_buffer> bytes, error_code& ec) override {
        return it_->write_some(bytes, ec);
    }
    void wait_writable(http::byte_stream_user& done) override { it_->wait_writable(done); }
    bool secure() const noexcept override { return true; }
    bool readable() noexcept override { return it_->readable(); }
    bool was_reset() noexcept override { return it_->was_reset(); }
    void shutdown(error_code& ec) noexcept override { it_->shutdown(ec); }
    void cancel() noexcept override { it_->cancel(); }
    void close() noexcept override { it_->close(); }

private:
    const std::shared_ptr<tls_connection> it_;
};

}  // namespace

std::unique_ptr<http::byte_stream> make_tls_stream(tcp::socket socket,
                                                   std::shared_ptr<ssl::context> with,
                                                   handshake_counts& handshakes) {
    return std::make_unique<tls_stream>(
        std::make_shared<tls_connection>(std::move(socket), std::move(with), &handshakes));
}

std::unique_ptr<http::byte_stream> make_tls_client_stream(tcp::socket socket,
                                                          std::shared_ptr<ssl::context> with,
                                                          const std::string& host) {
    auto made = std::make_shared<tls_connection>(std::move(socket), std::move(with), nullptr);
    expect_host(made->native(), host);
    return std::make_unique<tls_stream>(std::move(made));
}

}  // namespace orderproc::server::tls
