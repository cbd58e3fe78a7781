#include "queue/rabbitmq/url.hpp"

#include <charconv>
#include <optional>

namespace orderproc::detail::rabbitmq {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// RFC 3986 percent-encoding. A NUL would end the text early where C reads it.
std::optional<std::string> decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0 || high * 16 + low == 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

std::string encode(std::string_view text) {
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (plain.find(c) != plain.npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte / 16];
            out += digits[byte % 16];
        }
    }
    return out;
}

failure refuse(std::string_view why) {
    return {errc::invalid_argument, "url of the broker: " + std::string(why)};
}

result<endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
    endpoint out;
    out.port = default_port;
    std::string_view rest;
    if (text.starts_with('[')) {  // IPv6
        const std::size_t end = text.find(']');
        if (end == text.npos) return refuse("no ] after [");
        out.host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
    } else {
        const std::size_t colon = text.find(':');
        const auto host = decode(text.substr(0, colon));
        if (!host) return refuse("malformed host");
        out.host = *host;
        rest = colon == text.npos ? std::string_view() : text.substr(colon);
    }
    if (out.host.empty()) return refuse("a host is missing");
    if (rest.empty()) return out;
    rest.remove_prefix(1);
    unsigned port = 0;
    const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
    if (ec != std::errc() || end != rest.data() + rest.size() || port == 0 || port > 65535) {
        return refuse("a port is not a number from 1 to 65535");
    }
    out.port = static_cast<std::uint16_t>(port);
    return out;
}

}  // namespace

result<address> parse_url(std::string_view url) {
    address out;
    if (url.starts_with("amqps://")) {
        out.tls = true;
    } else if (!url.starts_with("amqp://")) {
        return refuse("it begins with amqp:// or amqps://");
    }
    url.remove_prefix(out.tls ? 8 : 7);
    if (url.find_first_of("?#") != url.npos) return refuse("? and # mean nothing here");

    const std::size_t slash = url.find('/');
    std::string_view authority = url.substr(0, slash);
    if (slash != url.npos && slash + 1 < url.size()) {
        const std::string_view path = url.substr(slash + 1);
        auto vhost = decode(path);
        if (!vhost || path.find('/') != path.npos) {
            return refuse("a vhost has its / written as %2F");
        }
        out.vhost = std::move(*vhost);
    }

    const std::size_t at = authority.rfind('@');
    if (at != authority.npos) {
        const std::string_view who = authority.substr(0, at);
        const std::size_t colon = who.find(':');
        auto user = decode(who.substr(0, colon));
        auto password = colon == who.npos ? std::string() : decode(who.substr(colon + 1));
        if (!user || !password) return refuse("malformed credentials");
        out.user = std::move(*user);
        out.password = std::move(*password);
        authority.remove_prefix(at + 1);
    }
    for (;;) {
        const std::size_t comma = authority.find(',');
        auto host = parse_endpoint(authority.substr(0, comma), out.tls ? 5671 : 5672);
        if (!host) return std::move(host).error();
        out.hosts.push_back(std::move(*host));
        if (comma == authority.npos) return out;
        authority.remove_prefix(comma + 1);
    }
}

std::string show(const endpoint& it) {
    const bool ipv6 = it.host.find(':') != it.host.npos;
    return (ipv6 ? "[" + it.host + "]" : it.host) + ":" + std::to_string(it.port);
}

std::string show(const address& it) {
    std::string out = it.tls ? "amqps://" : "amqp://";
    for (std::size_t i = 0; i < it.hosts.size(); ++i) {
        if (i > 0) out += ',';
        out += show(it.hosts[i]);
    }
    if (it.vhost != "/") out += "/" + encode(it.vhost);
    return out;
}

}  // namespace orderproc::detail::rabbitmq
