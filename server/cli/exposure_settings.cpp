#include "cli/exposure_settings.hpp"

#include "cli/refusal.hpp"
#include "cli/values.hpp"

namespace orderproc::server {

void exposure_settings::add_to(CLI::App& command) {
    add_setting(command, "insecure-http", insecure_http, "Listen beyond this machine without TLS");
    add_setting(command, "insecure-no-auth", insecure_no_auth,
                "Listen beyond this machine without asking who it is");
}

result<void> exposure_settings::admits(std::string_view option, const std::string& address,
                                       std::string_view also, bool also_made) const {
    const auto at = of_option(option, parse_endpoint(address));
    if (!at) return at.error();
    if (at->loopback() || (insecure_http && insecure_no_auth && also_made)) return {};
    std::string why = std::string(option) + ": listening on " + at->host +
                      " opens it to other machines: that needs --insecure-http and "
                      "--insecure-no-auth";
    if (!also.empty()) why.append(", and ").append(also);
    return failure{errc::invalid_argument, why};
}

}  // namespace orderproc::server
