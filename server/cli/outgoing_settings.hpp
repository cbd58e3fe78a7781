#ifndef ORDERPROC_SERVER_CLI_OUTGOING_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_OUTGOING_SETTINGS_HPP

// How a command speaks to the servers that its options name.

#include "cli/outgoing_credentials.hpp"
#include "cli/settings.hpp"
#include "client/http_client.hpp"
#include "client/http_url.hpp"
#include "client/request_credential.hpp"
#include "http/stream_maker.hpp"

#include <memory>
#include <string>

namespace orderproc::server {

struct outgoing_settings {
    std::string ca, certificate, key;
    std::string credentials;

    // For https. Without TLS in this build there is none of them.
    void add_tls_to(CLI::App& command);
    // The same and --http-credentials.
    void add_to(CLI::App& command);
};

// What carries requests; outlives whatever sends them. Not safe to use from several threads.
class outgoing_calls {
public:
    // errc::invalid_argument: a file that an option names does not do. Never shows what is in it.
    static result<outgoing_calls> open(const outgoing_settings& with);

    // For a client of this server: TLS for https, else nullptr. errc::invalid_argument: this build
    // has no TLS.
    result<http::client_stream_maker*> carrier_to(const http_url& server);
    // The same as options. What has a credential in clear stays on this machine, whatever the name
    // of the server resolves to.
    result<http_client_options> options_for(const http_url& server);
    request_credential credential_for(const http_url& server) const {
        return credentials_.of(server);
    }

private:
    result<void> load();

    outgoing_settings with_;
    outgoing_credentials credentials_;
    std::unique_ptr<http::client_stream_maker> secure_;  // once it is asked for
};

}  // namespace orderproc::server

#endif
