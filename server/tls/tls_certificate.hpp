#ifndef ORDERPROC_SERVER_TLS_TLS_CERTIFICATE_HPP
#define ORDERPROC_SERVER_TLS_TLS_CERTIFICATE_HPP

// A certificate and its key, as a server or a client shows them.

#include <orderproc/error.hpp>

#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace orderproc::server::tls {

struct certificate_files {
    std::string certificate;         // PEM, with the certificates between it and the root
    std::string key;                 // PEM; readable by its owner, and perhaps a group, alone
    std::string password_file;       // whose first line is the key's passphrase; empty: it has none
    std::string client_ca;           // PEM: clients need a certificate of one of these; empty: none
    std::string options = "--tls-";  // begins the names of the options that a refusal names
};

// For ALPN (RFC 7301).
inline constexpr unsigned char spoken_protocols[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// TLS 1.2 with ECDHE and AEAD, or 1.3; no renegotiation, no compression.
void restrict_protocols(boost::asio::ssl::context& it);
// Certificate, key and passphrase. errc::invalid_argument, naming the file: see load_certificate().
result<void> use_certificate(boost::asio::ssl::context& in, const certificate_files& from);

// A server's: as restrict_protocols() says, no early data, ALPN http/1.1 alone.
// errc::invalid_argument, naming the file: it cannot be read, others may read the key, the key is
// another certificate's, or the certificate is not valid now. Never shows secrets.
result<std::shared_ptr<boost::asio::ssl::context>> load_certificate(const certificate_files& from);

// When its certificate ends.
std::chrono::system_clock::time_point end_of_certificate(boost::asio::ssl::context& of) noexcept;

// What tells whether the files were replaced: changes with their inodes, sizes and times.
std::string fingerprint_of(const certificate_files& files);

}  // namespace orderproc::server::tls

#endif
