#ifndef ORDERPROC_SERVER_TLS_TLS_CERTIFICATE_HPP
#define ORDERPROC_SERVER_TLS_TLS_CERTIFICATE_HPP

// A certificate and its key, as a server shows them to its clients.

#include <orderproc/error.hpp>

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace orderproc::server::tls {

struct certificate_files {
    std::string certificate;    // PEM, with the certificates between it and the root
    std::string key;            // PEM; readable by its owner, and perhaps a group, alone
    std::string password_file;  // whose first line is the key's passphrase; empty: it has none
    std::string client_ca;      // PEM: clients need a certificate of one of these; empty: none
};

// TLS 1.2 with ECDHE and AEAD, or 1.3; no renegotiation, no compression, no early data; ALPN
// http/1.1 alone. errc::invalid_argument, naming the file: it cannot be read, others may read the
// key, the key is another certificate's, or the certificate is not valid now. Never shows secrets.
result<std::shared_ptr<boost::asio::ssl::context>> load_certificate(const certificate_files& from);

// What tells whether the files were replaced: changes with their inodes, sizes and times.
std::string fingerprint_of(const certificate_files& files);

}  // namespace orderproc::server::tls

#endif
