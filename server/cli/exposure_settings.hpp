#ifndef ORDERPROC_SERVER_CLI_EXPOSURE_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_EXPOSURE_SETTINGS_HPP

// What an operator has to admit before a server listens on an address that others can reach.

#include "cli/settings.hpp"

#include <string>
#include <string_view>

namespace orderproc::server {

struct exposure_settings {
    bool insecure_http = false;
    bool insecure_no_auth = false;

    void add_to(CLI::App& command);

    // For the address that an option has, before the storage is opened. errc::invalid_argument:
    // the address is malformed, or is not a loopback one and something is not admitted. secured:
    // there is TLS, or nobody but a proxy may do without. Another admission that this option needs
    // is named, with whether it was made.
    result<void> admits(std::string_view option, const std::string& address, bool secured = false,
                        std::string_view also = {}, bool also_made = true) const;
    // The same once it is known whether there is a key.
    result<void> admits_strangers(std::string_view option, const std::string& address,
                                  bool has_keys) const;
};

}  // namespace orderproc::server

#endif
