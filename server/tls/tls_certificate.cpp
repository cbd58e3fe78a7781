#include "tls/tls_certificate.hpp"

#include "text/secret_file.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <fstream>

namespace orderproc::server::tls {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

constexpr const char* ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* suites_of_1_3 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr unsigned char session_context[] = "orderproc";

failure bad_file(const std::string& option, const std::string& file, const std::string& why) {
    return {errc::invalid_argument, option + ": " + file + ": " + why};
}

// What the client offers, if that has HTTP/1.1 in it; else the handshake fails.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned int in_size, void*) {
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, size, spoken_protocols, sizeof spoken_protocols, in,
                              in_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

result<void> set_password(ssl::context& to, const certificate_files& from) {
    std::string word;
    if (!from.password_file.empty()) {
        std::ifstream in(from.password_file);
        if (!std::getline(in, word)) {
            return bad_file(from.options + "key-password-file", from.password_file,
                            "cannot be read");
        }
    }
    // Also without one: OpenSSL would ask the terminal.
    to.set_password_callback([word](std::size_t, ssl::context::password_purpose) { return word; });
    return {};
}

result<void> check_dates(SSL_CTX* of, const certificate_files& from) {
    const std::string option = from.options + "certificate";
    X509* const own = SSL_CTX_get0_certificate(of);
    if (!own) return bad_file(option, from.certificate, "has no certificate");
    if (X509_cmp_current_time(X509_get0_notAfter(own)) <= 0) {
        return bad_file(option, from.certificate, "the certificate has ended");
    }
    if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0) {
        return bad_file(option, from.certificate, "the certificate is not valid yet");
    }
    return {};
}

}  // namespace

void restrict_protocols(ssl::context& it) {
    it.set_options(ssl::context::default_workarounds | ssl::context::no_compression);
    SSL_CTX* const native = it.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(native, ciphers);
    SSL_CTX_set_ciphersuites(native, suites_of_1_3);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
}

result<void> use_certificate(ssl::context& in, const certificate_files& from) {
    if (auto ok = check_secret_file(from.key); !ok) {
        return failure{ok.error().code, from.options + "key: " + ok.error().detail};
    }
    if (auto ok = set_password(in, from); !ok) return ok;
    error_code ec;
    in.use_certificate_chain_file(from.certificate, ec);
    if (ec) return bad_file(from.options + "certificate", from.certificate, ec.message());
    in.use_private_key_file(from.key, ssl::context::pem, ec);
    if (ec) return bad_file(from.options + "key", from.key, ec.message());
    return check_dates(in.native_handle(), from);
}

result<std::shared_ptr<ssl::context>> load_certificate(const certificate_files& from) {
    auto out = std::make_shared<ssl::context>(ssl::context::tls_server);
    restrict_protocols(*out);
    SSL_CTX* const native = out->native_handle();
    SSL_CTX_set_options(native, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_id_context(native, session_context, sizeof session_context - 1);
    SSL_CTX_set_alpn_select_cb(native, &choose_protocol, nullptr);
    if (auto ok = use_certificate(*out, from); !ok) return std::move(ok).error();
    if (from.client_ca.empty()) return out;
    error_code ec;
    out->load_verify_file(from.client_ca, ec);
    if (ec) return bad_file(from.options + "client-ca", from.client_ca, ec.message());
    out->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    SSL_CTX_set_client_CA_list(native, SSL_load_client_CA_file(from.client_ca.c_str()));
    return out;
}

std::chrono::system_clock::time_point end_of_certificate(ssl::context& of) noexcept {
    std::tm parts{};
    const X509* const own = SSL_CTX_get0_certificate(of.native_handle());
    if (!own || ASN1_TIME_to_tm(X509_get0_notAfter(own), &parts) != 1) return {};
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::string fingerprint_of(const certificate_files& files) {
    std::string out;
    for (const std::string* it :
         {&files.certificate, &files.key, &files.password_file, &files.client_ca}) {
        struct stat found {};
        if (it->empty() || ::stat(it->c_str(), &found) != 0) {
            out.append("- ");
            continue;
        }
        for (const auto number :
             {static_cast<std::int64_t>(found.st_ino), static_cast<std::int64_t>(found.st_size),
              static_cast<std::int64_t>(found.st_mtim.tv_sec),
              static_cast<std::int64_t>(found.st_mtim.tv_nsec)}) {
            out.append(std::to_string(number)).append(1, ' ');
        }
    }
    return out;
}

}  // namespace orderproc::server::tls
