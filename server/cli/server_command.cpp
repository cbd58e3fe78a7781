#include "cli/server_command.hpp"

#include "cli/server_access.hpp"
#include "cli/settings.hpp"
#include "text/terminal_text.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <utility>

namespace orderproc::server {

void print_json(std::string_view text) {
    const std::string line = printable_json(text) + "\n";
    std::fwrite(line.data(), 1, line.size(), stdout);
}

void server_settings::add_to(CLI::App& command) {
    add_setting(command, "url", url, "Of the server");
    credential.add_to(command);
    outgoing.add_tls_to(command);
    add_setting(command, "json", json,
                "What the server says, for programs; what is many one a line");
}

result<fetch_response> server_command::ask(std::string method, std::string target,
                                           const boost::json::object* body) const {
    fetch_request what;
    what.method = std::move(method);
    what.target = std::move(target);
    if (body) {
        what.body = boost::json::serialize(*body);
        what.fields = {{"Content-Type", "application/json"}};
    }
    return client_.ask(std::move(what));
}

result<fetch_response> server_command::look(std::string target,
                                            std::chrono::milliseconds timeout) const {
    fetch_request what;
    what.method = "GET";
    what.target = std::move(target);
    return client_.ask_once(std::move(what), timeout);
}

std::optional<int> exit_code_for(const result<fetch_response>& got, unsigned expected, bool json) {
    if (!got) {
        if (got.error().code == errc::invalid_argument) return fail(got.error());
        return fail(got.error().detail +
                    "\nIs the server running? `orderproc serve` starts one; --url names another");
    }
    if (got->status == expected) return std::nullopt;
    if (json) {
        print_json(got->body);
        return 1;
    }
    std::string why = problem_text(got->status, got->body);
    if (const auto wait = got->retry_after()) {
        why += "; try again in " + std::to_string(wait->count()) + " s";
    }
    return fail(why);
}

int with_server(const server_settings& with,
                const std::function<int(const server_command&)>& what) {
    auto to = server_access::open(with.url, with.outgoing, with.credential);
    if (!to) return fail(to.error());
    return what({with, order_client(std::move(to->url), std::move(to->token), to->carrier)});
}

}  // namespace orderproc::server
