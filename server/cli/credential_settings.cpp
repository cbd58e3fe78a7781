#include "cli/credential_settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t token_size_max = 8 * 1024;

result<std::string> checked_token(std::string text, const std::string& from) {
    const bool plain =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (plain && text.size() <= token_size_max) return text;
    return failure{errc::invalid_argument, from + ": what is there is no credential"};
}

}  // namespace

void credential_settings::add_file_to(CLI::App& command) {
    add_setting(command, "token-file", token_file,
                "A file whose first line is the key to send; else ORDERPROC_TOKEN, if it is set");
}

void credential_settings::add_to(CLI::App& command) {
    add_file_to(command);
    add_setting(command, "insecure-http", insecure_http,
                "Send the key to another machine without TLS");
}

result<std::string> credential_settings::token() const {
    if (token_file.empty()) {
        const char* const given = std::getenv("ORDERPROC_TOKEN");
        return checked_token(given ? given : "", "ORDERPROC_TOKEN");
    }
    std::ifstream file(token_file);
    std::string line;
    if (!std::getline(file, line)) {
        return failure{errc::invalid_argument, "--token-file: cannot read " + token_file};
    }
    if (line.ends_with('\r')) line.pop_back();
    return checked_token(std::move(line), "--token-file");
}

result<std::string> credential_settings::token_for(const http_url& to) const {
    auto found = token();
    if (!found || found->empty() || insecure_http || to.secure || to.on_this_machine()) {
        return found;
    }
    return failure{errc::invalid_argument, "without TLS everybody on the way to " + to.host +
                                               " could read the key: use https://, or say so with "
                                               "--insecure-http"};
}

}  // namespace orderproc::server
