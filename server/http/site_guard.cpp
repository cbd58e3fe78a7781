#include "http/site_guard.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace orderproc::server::http {

namespace {

constexpr std::size_t address_size_max = 64;

// "shop.example" of "shop.example:8443", "[::1]" of "[::1]:80".
std::string_view without_port(std::string_view host) noexcept {
    const std::size_t colon = host.rfind(':');
    const std::size_t bracket = host.rfind(']');
    const bool port = colon != host.npos && (bracket == host.npos || bracket < colon);
    return port ? host.substr(0, colon) : host;
}

bool is_loopback_address(std::string_view host) noexcept {
    if (host == "127.0.0.1") return true;  // nearly all, and reading an address takes its time
    if (host.find_first_of("[:") == host.npos && !host.starts_with("127.")) return false;
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    std::array<char, address_size_max + 1> terminated{};
    if (host.size() > address_size_max) return false;
    host.copy(terminated.data(), host.size());
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(terminated.data(), ec);
    return !ec && address.is_loopback();
}

bool is_local_name(std::string_view host) noexcept {
    constexpr std::string_view local = "localhost";
    if (host.ends_with('.')) host.remove_suffix(1);
    if (equal_ignoring_case(host, local)) return true;
    return host.size() > local.size() + 1 && host[host.size() - local.size() - 1] == '.' &&
           equal_ignoring_case(host.substr(host.size() - local.size()), local);
}

bool may_change_something(const request& in) noexcept {
    return in.method != "GET" && in.method != "HEAD" && in.method != "OPTIONS";
}

// Whether a page of the origin is one of the host's own. Ports that the scheme implies need not
// be named; which scheme it is only a proxy knows.
bool is_same_origin(std::string_view origin, std::string_view host) noexcept {
    const std::size_t scheme = origin.find("://");
    if (scheme == origin.npos || host.empty()) return false;
    const bool secure = equal_ignoring_case(origin.substr(0, scheme), "https");
    const std::string_view implied = secure ? ":443" : ":80";
    const auto bare = [&](std::string_view authority) {
        if (authority.ends_with(implied)) authority.remove_suffix(implied.size());
        return authority;
    };
    return equal_ignoring_case(bare(origin.substr(scheme + 3)), bare(host));
}

// The host that the browser asked for.
std::string_view public_host(const request& in, bool trusted) noexcept {
    const std::string_view forwarded = trusted ? in.find("X-Forwarded-Host") : std::string_view();
    if (forwarded.empty()) return in.find("Host");
    return forwarded.substr(0, forwarded.find_first_of(", "));
}

}  // namespace

bool admits_origin(std::span<const std::string> origins, std::string_view origin) noexcept {
    return std::any_of(origins.begin(), origins.end(),
                       [&](const std::string& it) { return it == "*" || it == origin; });
}

bool is_host_name(std::string_view text) noexcept {
    if (text == "*") return true;
    return !text.empty() && without_port(text) == text &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("-._[]:").find(c) != std::string_view::npos;
           });
}

site_guard::site_guard(site_rules rules) : rules_(std::move(rules)) {}

site_refusal site_guard::judge(const request& in, bool trusted) const noexcept {
    if (rules_.loopback_only && !trusted && !answers_to(in.find("Host"))) {
        return {&problems::foreign_host,
                "Host is none of localhost, a loopback address, and the names of --allowed-host"};
    }
    if (!may_change_something(in)) return {};
    const std::string_view origin = in.find("Origin");
    if (!origin.empty() && admits_origin(rules_.origins, origin)) return {};
    const std::string_view site = in.find("Sec-Fetch-Site");
    const bool own = site.empty()
                         ? origin.empty() || is_same_origin(origin, public_host(in, trusted))
                         : site == "same-origin" || site == "none";
    if (own) return {};
    return {&problems::cross_site,
            "the page that asks is of another origin, which --cors-origin does not name"};
}

// Without a name there is no page: a browser always sends one.
bool site_guard::answers_to(std::string_view host) const noexcept {
    host = without_port(host);
    if (host.empty() || is_local_name(host) || is_loopback_address(host)) return true;
    return std::any_of(rules_.hosts.begin(), rules_.hosts.end(), [&](const std::string& it) {
        return it == "*" || equal_ignoring_case(it, host);
    });
}

}  // namespace orderproc::server::http
