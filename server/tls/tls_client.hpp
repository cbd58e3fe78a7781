#ifndef ORDERPROC_SERVER_TLS_TLS_CLIENT_HPP
#define ORDERPROC_SERVER_TLS_TLS_CLIENT_HPP

// TLS for the connections that we make to others.

#include "http/stream_maker.hpp"

#include <orderproc/error.hpp>

#include <memory>
#include <string>

namespace orderproc::server::tls {

struct client_files {
    std::string
        ca;  // PEM: servers need a certificate of one of these; empty: whom the system trusts
    std::string certificate;          // PEM, for servers that ask for one; empty: none
    std::string key;                  // PEM, of the certificate, and without a passphrase
    std::string options = "--http-";  // begins the names of the options that a refusal names
};

// Servers are always verified: the chain, the dates, and that the certificate is of the host that
// was asked for, which has to be among its alternative names. TLS 1.2 with ECDHE and AEAD, or 1.3.
// errc::invalid_argument, naming the file: it cannot be read, others may read the key, the key is
// another certificate's, or the certificate is not valid now. Never shows secrets.
result<std::unique_ptr<http::client_stream_maker>> make_client(const client_files& from = {});

}  // namespace orderproc::server::tls

#endif
