#ifndef ORDERPROC_SERVER_CLI_SERVER_ACCESS_HPP
#define ORDERPROC_SERVER_CLI_SERVER_ACCESS_HPP

// What a command needs to ask a server over HTTP.

#include "cli/credential_settings.hpp"
#include "cli/outgoing_settings.hpp"
#include "client/http_url.hpp"
#include "http/stream_maker.hpp"

#include <string>

namespace orderproc::server {

struct server_access {
    // errc::invalid_argument, naming the option: the URL is none of a server, a file does not do,
    // or the key would be sent in clear.
    static result<server_access> open(const std::string& url, const outgoing_settings& outgoing,
                                      const credential_settings& credential);

    http_url url;
    std::string token;
    outgoing_calls calls;
    http::client_stream_maker* carrier;  // of the calls; none: plain HTTP
};

}  // namespace orderproc::server

#endif
