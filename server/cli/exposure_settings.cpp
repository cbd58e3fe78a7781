#include "cli/exposure_settings.hpp"

#include "cli/refusal.hpp"
#include "cli/values.hpp"

namespace orderproc::server {

void exposure_settings::add_to(CLI::App& command) {
    add_setting(command, "insecure-http", insecure_http, "Listen beyond this machine without TLS");
    add_setting(command, "insecure-no-auth", insecure_no_auth,
                "While there is no key, ask nobody who they are, also beyond this machine");
}

result<void> exposure_settings::admits(std::string_view option, const std::string& address,
                                       bool secured, std::string_view also, bool also_made) const {
    const auto at = of_option(option, parse_endpoint(address));
    if (!at) return at.error();
    if (at->loopback() || ((secured || insecure_http) && also_made)) return {};
    std::string why = std::string(option) + ": listening on " + at->host +
                      " opens it to other machines: that needs TLS (--tls-certificate), "
                      "--http-from-proxy or --insecure-http, and a key "
                      "(orderproc keys create) or --insecure-no-auth";
    if (!also.empty()) why.append(", and ").append(also);
    return failure{errc::invalid_argument, why};
}

result<void> exposure_settings::admits_strangers(std::string_view option,
                                                 const std::string& address, bool has_keys) const {
    const auto at = of_option(option, parse_endpoint(address));
    if (!at) return at.error();
    if (at->loopback() || has_keys || insecure_no_auth) return {};
    return failure{errc::invalid_argument,
                   std::string(option) + ": listening on " + at->host +
                       " opens it to other machines, and there is no key: make one (orderproc keys "
                       "create), or admit with --insecure-no-auth that nobody is asked"};
}

}  // namespace orderproc::server
