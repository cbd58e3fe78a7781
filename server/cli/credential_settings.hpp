#ifndef ORDERPROC_SERVER_CLI_CREDENTIAL_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_CREDENTIAL_SETTINGS_HPP

// The credential that a command sends to a server. Never an argument, which all users of the
// machine can read.

#include "cli/settings.hpp"
#include "client/http_url.hpp"

#include <string>

namespace orderproc::server {

struct credential_settings {
    std::string token_file;
    bool insecure_http = false;

    void add_to(CLI::App& command);
    void add_file_to(CLI::App& command);  // --token-file alone: for what speaks to loopback only
    // The first line of --token-file, or else what ORDERPROC_TOKEN has; empty: there is none.
    // errc::invalid_argument: the file cannot be read, or it is no credential. Never shows it.
    result<std::string> token() const;
    // The same for this server. errc::invalid_argument if it is another machine's and the URL has
    // no TLS, unless --insecure-http admits it.
    result<std::string> token_for(const http_url& to) const;
};

}  // namespace orderproc::server

#endif
