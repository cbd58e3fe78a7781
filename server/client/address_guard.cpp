#include "client/address_guard.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace orderproc::server {

namespace asio = boost::asio;

namespace {

constexpr std::size_t url_size_max = 2048;
constexpr std::size_t name_size_max = 253;
constexpr std::size_t label_size_max = 63;
constexpr std::size_t addresses_max = 32;
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

struct prefix_v4 {
    std::uint32_t first;
    unsigned bits;
};

// RFC 6890's registry, but for what is globally reachable; and multicast.
constexpr prefix_v4 not_public_v4[] = {
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private use
    {0x64400000, 10},  // shared address space
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local, where clouds have their metadata
    {0xac100000, 12},  // private use
    {0xc0000000, 24},  // protocol assignments
    {0xc0000200, 24},  // documentation
    {0xc0586300, 24},  // 6to4 relays
    {0xc0a80000, 16},  // private use
    {0xc6120000, 15},  // benchmarking
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 4},   // multicast
    {0xf0000000, 4},   // reserved, and broadcast
};

struct prefix_v6 {
    std::uint64_t first;  // of the 64 bits of the network
    unsigned bits;
};

constexpr prefix_v6 unicast_v6{0x2000000000000000, 3};
constexpr prefix_v6 not_public_v6[] = {
    {0x2001000000000000, 23},  // protocol assignments: Teredo, benchmarking, ORCHID…
    {0x20010db800000000, 32},  // documentation
    {0x2002000000000000, 16},  // 6to4
    {0x3fff000000000000, 20},  // documentation
};

bool contains(const prefix_v4& it, std::uint32_t address) noexcept {
    return (it.first ^ address) >> (32 - it.bits) == 0;
}

bool contains(const prefix_v6& it, std::uint64_t network) noexcept {
    return (it.first ^ network) >> (64 - it.bits) == 0;
}

// The address that packets reach: IPv4 if it is that within IPv6.
asio::ip::address mapped_down(const asio::ip::address& it) noexcept {
    if (it.is_v4()) return it;
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    constexpr std::array<unsigned char, 12> nat64{0, 0x64, 0xff, 0x9b};
    const auto bytes = it.to_v6().to_bytes();
    if (!std::equal(mapped.begin(), mapped.end(), bytes.begin()) &&
        !std::equal(nat64.begin(), nat64.end(), bytes.begin())) {
        return it;
    }
    asio::ip::address_v4::bytes_type four;
    std::copy(bytes.begin() + mapped.size(), bytes.end(), four.begin());
    return asio::ip::address_v4(four);
}

bool is_decimal(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_label_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || is_decimal(c) || c == '-';
}

bool is_label(std::string_view text) noexcept {
    return !text.empty() && text.size() <= label_size_max && text.front() != '-' &&
           text.back() != '-' && std::all_of(text.begin(), text.end(), is_label_char);
}

// What resolvers take for a number, or a part of an address.
bool is_number(std::string_view label) noexcept {
    return label.starts_with("0x") || std::all_of(label.begin(), label.end(), is_decimal);
}

bool is_name(std::string_view text, bool local_names) noexcept {
    constexpr std::array<std::string_view, 3> local{"localhost", "local", "internal"};
    if (text.size() > name_size_max) return false;
    const std::size_t dot = text.rfind('.');
    const std::string_view last = text.substr(dot == text.npos ? 0 : dot + 1);
    if (is_number(last)) return false;
    if (!local_names &&
        (dot == text.npos || std::find(local.begin(), local.end(), last) != local.end())) {
        return false;
    }
    for (std::size_t end = text.find('.'); end != text.npos; end = text.find('.')) {
        if (!is_label(text.substr(0, end))) return false;
        text.remove_prefix(end + 1);
    }
    return is_label(text);
}

char small(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

failure refused(const char* why) {
    return {errc::invalid_argument, why};
}

}  // namespace

result<http_url> parse_guarded_url(std::string_view text, const guard_policy& policy) {
    if (text.size() > url_size_max) return refused("a URL has at most 2048 bytes");
    auto out = parse_http_url(text);
    if (!out) return out;
    if (!out->secure && !policy.plain_http) return refused("only https:// is allowed");
    if (out->port != (out->secure ? https_port : http_port) &&
        std::find(policy.ports.begin(), policy.ports.end(), out->port) == policy.ports.end()) {
        return refused("this port is not allowed");
    }
    std::string& host = out->host;
    std::transform(host.begin(), host.end(), host.begin(), small);
    if (host.ends_with('.')) host.pop_back();
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(host, not_an_address);
    const bool allowed =
        not_an_address ? is_name(host, policy.local_names) : admits(policy, {address}, {});
    if (!allowed) return refused(address_not_allowed);
    return out;
}

bool is_public(const asio::ip::address& it) noexcept {
    const asio::ip::address reached = mapped_down(it);
    if (reached.is_v4()) {
        const std::uint32_t bits = reached.to_v4().to_uint();
        return std::none_of(std::begin(not_public_v4), std::end(not_public_v4),
                            [&](const prefix_v4& range) { return contains(range, bits); });
    }
    const auto bytes = reached.to_v6().to_bytes();
    std::uint64_t network = 0;
    for (std::size_t i = 0; i < sizeof network; ++i) network = network << 8 | bytes[i];
    return contains(unicast_v6, network) &&
           std::none_of(std::begin(not_public_v6), std::end(not_public_v6),
                        [&](const prefix_v6& range) { return contains(range, network); });
}

bool admits(const guard_policy& policy, const host_addresses& all,
            const host_addresses& own) noexcept {
    if (all.empty() || all.size() > addresses_max) return false;
    return std::all_of(all.begin(), all.end(), [&](const asio::ip::address& it) {
        const auto reached = http::bytes_of(mapped_down(it));
        if (http::contains(policy.networks, reached)) return true;
        return is_public(it) && std::none_of(own.begin(), own.end(), [&](const auto& mine) {
                   return http::bytes_of(mapped_down(mine)) == reached;
               });
    });
}

}  // namespace orderproc::server
