#include "cli/limit_settings.hpp"

#include "api/routes.hpp"
#include "cli/refusal.hpp"
#include "cli/values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace orderproc::server {

namespace {

constexpr double rate_min = 0.001;
constexpr double rate_max = 1e6;

template <class Number>
bool parse_number(std::string_view text, Number& out) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc() && end == text.data() + text.size();
}

// Of one that only looks, nothing waits.
bool writes_something(const http::request& in) noexcept {
    return in.method != "GET" && in.method != "HEAD" && in.method != "OPTIONS";
}

}  // namespace

result<http::rate> parse_rate(std::string_view text) {
    const failure bad{errc::invalid_argument,
                      "\"" + std::string(text) + "\" is no rate such as 100 or 100:500"};
    const std::size_t colon = text.find(':');
    http::rate out;
    if (!parse_number(text.substr(0, colon), out.per_second)) return bad;
    if (!(out.per_second >= rate_min && out.per_second <= rate_max)) return bad;
    if (colon == text.npos) {
        out.burst = static_cast<std::uint32_t>(std::ceil(out.per_second));
    } else if (!parse_number(text.substr(colon + 1), out.burst) || out.burst < 1 ||
               out.burst > rate_max) {
        return bad;
    }
    return out;
}

void limit_settings::add_to(CLI::App& command) {
    const auto add_count = [&](const std::string& flag, std::size_t& value, double low, double high,
                               const std::string& help) {
        add_setting(command, flag, value, help)->check(CLI::Range(low, high));
    };
    add_setting(command, "rate-limit", rate_limit,
                "RATE[:BURST]: requests a second of one client, and at once; empty: any");
    add_setting(command, "bound-rate-limit", bound_rate_limit,
                "The same for each key that is bound to a user or a tenant; empty: any");
    add_setting(command, "trusted-proxy", trusted_proxies,
                "Address or range (10.0.0.0/8) of proxies whose X-Forwarded-For is believed; "
                "may be given several times")
        ->delimiter(',');
    add_count("connections", most.connections_max, 1, 1e6, "At a time");
    add_count("connections-per-address", most.connections_per_address_max, 1, 1e6,
              "At a time from one address, or IPv6 /64 network, that is no trusted proxy");
    add_count("requests-in-flight", most.admits.requests_in_flight_max, 1, 1e6,
              "From header to answer, at a time; beyond it 503");
    add_count("queue", queue, 1, 1e6, "Changes of orders that may wait; 503 when nearly full");
    add_count("header-size", most.limits.header_size_max, 512, 1 << 20, "In bytes");
    add_count("header-fields", most.limits.fields_max, 1, 10'000, "Of one request");
    add_count("target-size", most.limits.target_size_max, 64, 1 << 20, "In bytes");
    add_count("body-size", most.limits.body_size_max, 0, 1 << 30, "In bytes");
    add_count("batch-size", most.limits.large_body_size_max, 0, 1 << 30,
              "Of the body of a batch, in bytes");
    add_count("bodies-size", most.admits.bodies_size_max, 0, 1e12,
              "Of all bodies at a time, in bytes; beyond it 503");
    add_setting(command, "header-timeout", header_timeout, "For a request's header to come");
    add_setting(command, "body-timeout", body_timeout, "For its body");
    add_setting(command, "idle-timeout", idle_timeout, "Between requests");
    add_setting(command, "write-timeout", write_timeout, "For the client to take something");
}

result<http::server_options> limit_settings::options() const {
    http::server_options out = most;
    out.limits.large_path = batch_path;
    struct time_setting {
        const char* option;
        const std::string& text;
        std::chrono::milliseconds& to;
    };
    const time_setting times[] = {{"--header-timeout", header_timeout, out.header_timeout},
                                  {"--body-timeout", body_timeout, out.body_timeout},
                                  {"--idle-timeout", idle_timeout, out.idle_timeout},
                                  {"--write-timeout", write_timeout, out.write_timeout}};
    for (const auto& [option, text, to] : times) {
        const auto parsed = duration_option(option, text, std::chrono::milliseconds(1));
        if (!parsed) return parsed.error();
        to = *parsed;
    }
    if (!rate_limit.empty()) {
        const auto limit = of_option("--rate-limit", parse_rate(rate_limit));
        if (!limit) return limit.error();
        out.admits.limit = *limit;
    }
    if (!bound_rate_limit.empty()) {
        const auto limit = of_option("--bound-rate-limit", parse_rate(bound_rate_limit));
        if (!limit) return limit.error();
        out.admits.bound_limit = *limit;
    }
    for (const std::string& it : trusted_proxies) {
        const auto range = of_option("--trusted-proxy", http::address_range::parse(it));
        if (!range) return range.error();
        out.admits.trusted_proxies.push_back(*range);
    }
    // Who watches the server is not to be turned away for what its neighbours do.
    out.admits.unlimited = [](const http::request& in) {
        return in.path == "/healthz" || in.path == "/readyz";
    };
    return out;
}

std::function<bool(const http::request&)> limit_settings::shedding(const engine& orders) const {
    // What was let in but is still to be queued finds place in the rest.
    const std::size_t most_waiting = queue - queue / 8;
    return [&orders, most_waiting](const http::request& in) {
        return writes_something(in) && orders.queued() >= most_waiting;
    };
}

}  // namespace orderproc::server
