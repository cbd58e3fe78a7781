#ifndef ORDERPROC_SERVER_CLI_TLS_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_TLS_SETTINGS_HPP

// What `serve` and `work` speak on the addresses that they listen on.

#include "cli/settings.hpp"
#include "http/stream_maker.hpp"

#include <orderproc/log.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orderproc::server {

struct tls_settings {
    std::string certificate, key, password_file, client_ca;
    std::vector<std::string> http_from_proxies;
    std::uint32_t hsts = 0;  // seconds; 0: none

    // Without TLS in this build there is --http-from-proxy alone.
    void add_to(CLI::App& command);
    // Nobody beyond this machine reads what clients send, or only a proxy of ours does.
    bool secured() const noexcept { return !certificate.empty() || !http_from_proxies.empty(); }
    bool https() const noexcept { return !certificate.empty(); }

    // none: plain HTTP. Replaced certificates are taken, and told to the log.
    // told: of each certificate that came to replace one, whether it was taken.
    // errc::invalid_argument: the files do not do, or options are missing. It outlives the servers.
    result<std::unique_ptr<http::stream_maker>> open(log_sink log,
                                                     std::function<void(bool taken)> told) const;
    // For a server. errc::invalid_argument: a malformed range.
    result<http::carriers> carriers_over(http::stream_maker* secure) const;
};

}  // namespace orderproc::server

#endif
