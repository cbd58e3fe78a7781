#include "tls/tls_client.hpp"

#include "tls/tls_certificate.hpp"
#include "tls/tls_stream.hpp"

#include <openssl/ssl.h>

#include <utility>

namespace orderproc::server::tls {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

class client final : public http::client_stream_maker {
public:
    explicit client(std::shared_ptr<ssl::context> with) : with_(std::move(with)) {}
    std::unique_ptr<http::byte_stream> make(tcp::socket socket, const std::string& host) override {
        return make_tls_client_stream(std::move(socket), with_, host);
    }

private:
    const std::shared_ptr<ssl::context> with_;
};

result<void> trust(ssl::context& in, const client_files& from) {
    error_code ec;
    if (from.ca.empty()) {
        in.set_default_verify_paths(ec);
    } else {
        in.load_verify_file(from.ca, ec);
    }
    if (!ec) return {};
    return failure{
        errc::invalid_argument,
        from.options + "ca: " + (from.ca.empty() ? "the system's" : from.ca) + ": " + ec.message()};
}

}  // namespace

result<std::unique_ptr<http::client_stream_maker>> make_client(const client_files& from) {
    if (from.certificate.empty() != from.key.empty()) {
        return failure{errc::invalid_argument, "a client's certificate needs both " + from.options +
                                                   "certificate and " + from.options + "key"};
    }
    auto with = std::make_shared<ssl::context>(ssl::context::tls_client);
    restrict_protocols(*with);
    SSL_CTX_set_alpn_protos(with->native_handle(), spoken_protocols, sizeof spoken_protocols);
    SSL_CTX_set_session_cache_mode(with->native_handle(), SSL_SESS_CACHE_OFF);
    with->set_verify_mode(ssl::verify_peer);
    if (auto ok = trust(*with, from); !ok) return std::move(ok).error();
    if (!from.certificate.empty()) {
        const certificate_files own{from.certificate, from.key, {}, {}, from.options};
        if (auto ok = use_certificate(*with, own); !ok) return std::move(ok).error();
    }
    return std::unique_ptr<http::client_stream_maker>(std::make_unique<client>(std::move(with)));
}

}  // namespace orderproc::server::tls
