#ifndef ORDERPROC_SERVER_CLI_LIMIT_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_LIMIT_SETTINGS_HPP

// How much `serve` takes from its clients, and how long it waits for them.

#include "cli/settings.hpp"
#include "http/options.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/error.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

struct limit_settings {
    http::server_options most;  // numbers go straight in
    std::size_t queue = engine_options{}.queue_max;
    std::string rate_limit;
    std::string bound_rate_limit = "50:500";
    std::vector<std::string> trusted_proxies;
    std::string header_timeout = "5s";
    std::string body_timeout = "10s";
    std::string idle_timeout = "30s";
    std::string write_timeout = "10s";

    void add_to(CLI::App& command);
    // All but the address. errc::invalid_argument: one of the texts is no value.
    result<http::server_options> options() const;
    // Whether a request would have to wait for a queue that is nearly full.
    std::function<bool(const http::request&)> shedding(const engine& orders) const;
};

// "100", or "100:500": requests a second, and how many at once (by default those of a second).
result<http::rate> parse_rate(std::string_view text);

}  // namespace orderproc::server

#endif
