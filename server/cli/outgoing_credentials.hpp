#ifndef ORDERPROC_SERVER_CLI_OUTGOING_CREDENTIALS_HPP
#define ORDERPROC_SERVER_CLI_OUTGOING_CREDENTIALS_HPP

// The file that says what is sent to whom, as docs/security.md describes it.

#include "client/http_url.hpp"
#include "client/request_credential.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

class outgoing_credentials {
public:
    // errc::invalid_argument, naming the file and the line and never showing what is in it: the
    // file cannot be read, or others may read it; a line is not one; a server on another machine
    // has no https.
    static result<outgoing_credentials> read(const std::string& path);

    // What is sent to this server: of all lines with its scheme, host and port. Empty: nothing.
    request_credential of(const http_url& server) const;

private:
    struct line {
        http_url server;
        std::pair<std::string, std::string> field;
        std::string secret;  // to sign with, instead
    };
    static result<line> read_line(std::string_view text);

    std::vector<line> lines_;
};

}  // namespace orderproc::server

#endif
