#ifndef ORDERPROC_SERVER_CLI_SERVER_COMMAND_HPP
#define ORDERPROC_SERVER_CLI_SERVER_COMMAND_HPP

// What commands have in common that ask a server over HTTP.

#include "cli/credential_settings.hpp"
#include "cli/order_client.hpp"
#include "cli/outgoing_settings.hpp"

#include <boost/json/fwd.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace orderproc::server {

struct server_settings {
    std::string url = "http://127.0.0.1:8000";
    credential_settings credential;
    outgoing_settings outgoing;
    bool json = false;

    void add_to(CLI::App& command);
};

// One server, asked by one command.
class server_command {
public:
    server_command(const server_settings& with, order_client client)
        : with_(with), client_(std::move(client)) {}

    result<fetch_response> ask(std::string method, std::string target,
                               const boost::json::object* body = nullptr) const;
    // The same without repetitions.
    result<fetch_response> look(std::string target, std::chrono::milliseconds timeout) const;
    // Says why an answer is not what was asked for: the exit code. Nullopt: it is.
    std::optional<int> refused(const result<fetch_response>& got, unsigned expected) const;
    bool json() const noexcept { return with_.json; }

private:
    const server_settings& with_;
    const order_client client_;
};

// Opens the server, and calls it with the command; the exit code.
int with_server(const server_settings& with, const std::function<int(const server_command&)>& what);

}  // namespace orderproc::server

#endif
