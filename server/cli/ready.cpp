// `orderproc ready`: whether a server should be sent requests, for probes of containers and
// scripts.

#include "cli/order_command.hpp"
#include "cli/server_command.hpp"
#include "cli/settings.hpp"
#include "cli/values.hpp"
#include "text/terminal_text.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

namespace orderproc::server {

namespace {

struct ready_settings {
    server_settings server;
    std::string timeout = "5s";
};

// ": storage_hangs, broker_away", of what the server answered.
std::string codes_of(const std::string& body) {
    boost::system::error_code ec;
    const boost::json::value whole = boost::json::parse(body, ec);
    const auto* const state = ec ? nullptr : whole.if_object();
    const auto* const codes = state ? state->if_contains("codes") : nullptr;
    std::string out;
    if (!codes || !codes->is_array()) return out;
    for (const boost::json::value& it : codes->get_array()) {
        if (!it.is_string()) continue;
        out += (out.empty() ? ": " : ", ") + printable(std::string_view(it.get_string()));
    }
    return out;
}

// A probe asks again by itself, so it is told at once how things are.
int look_at_readiness(const server_command& by, const ready_settings& with,
                      std::chrono::milliseconds timeout) {
    const auto got = by.look("/readyz", timeout);
    if (!got) return fail(got.error().detail);
    const bool ready = got->status == 200;
    if (by.json()) {
        print_json(got->body);
        return ready ? 0 : 1;
    }
    const std::string& url = with.server.url;
    if (!ready && got->status != 503) {
        return fail(url + " answered with status " + std::to_string(got->status));
    }
    if (!ready) return fail(url + " is not ready" + codes_of(got->body));
    std::printf("%s is ready%s\n", printable(url).c_str(), codes_of(got->body).c_str());
    return 0;
}

int ready(const ready_settings& with) {
    const auto timeout = duration_option("--timeout", with.timeout, std::chrono::milliseconds(1));
    if (!timeout) return fail(timeout.error());
    return with_server(with.server, [&](const server_command& by) {
        return look_at_readiness(by, with, *timeout);
    });
}

}  // namespace

void add_ready(command_line to) {
    auto* command = to.app.add_subcommand("ready", "Asks a server whether it is ready, for probes");
    const auto with = std::make_shared<ready_settings>();
    with->server.add_to(*command);
    add_setting(*command, "timeout", with->timeout, "How long to wait for its answer");
    command->callback([&run = to.run, with] { run = [with] { return ready(*with); }; });
}

}  // namespace orderproc::server
