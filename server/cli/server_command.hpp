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
#include <string_view>
#include <utility>

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

// A line of JSON to standard output, as printable_json() makes it safe.
void print_json(std::string_view text);

// Says on stderr (with json a problem on stdout) why an answer is not what was asked for: the exit
// code. Nullopt: it is.
std::optional<int> exit_code_for(const result<fetch_response>& got, unsigned expected, bool json);

// One server, asked by one command.
class server_command {
public:
    server_command(const server_settings& with, order_client client)
        : with_(with), client_(std::move(client)) {}

    result<fetch_response> ask(std::string method, std::string target,
                               const boost::json::object* body = nullptr) const;
    // The same without repetitions.
    result<fetch_response> look(std::string target, std::chrono::milliseconds timeout) const;
    std::optional<int> refused(const result<fetch_response>& got, unsigned expected) const {
        return exit_code_for(got, expected, with_.json);
    }
    bool json() const noexcept { return with_.json; }

private:
    const server_settings& with_;
    const order_client client_;
};

// Opens the server, and calls it with the command; the exit code.
int with_server(const server_settings& with, const std::function<int(const server_command&)>& what);

}  // namespace orderproc::server

#endif
