#include "client/http_url.hpp"

#include "http/message.hpp"
#include "text/terminal_text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace orderproc::server {

namespace {

constexpr std::uint16_t plain_port = 80;
constexpr std::uint16_t secure_port = 443;
constexpr std::string_view plain_scheme = "http://";
constexpr std::string_view secure_scheme = "https://";
constexpr std::size_t shown_max = 200;

failure malformed(std::string_view text, const std::string& why) {
    const bool harmless = text.find('@') == text.npos && text.size() <= shown_max;
    const std::string_view quoted = text.substr(0, text.find_first_of("?#"));
    return {errc::invalid_argument,
            (harmless ? "\"" + printable(quoted) + "\" is not" : std::string("this is not")) +
                " a URL such as http://host:8000/path: " + why};
}

bool is_name_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool is_ipv6(const std::string& host) noexcept {
    in6_addr address;
    return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// Takes the host off the authority, and leaves the colon and the port. Nullptr, or what is wrong.
const char* take_host(std::string_view& authority, std::string& host) {
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == authority.npos) return "a bracket is missing";
        host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
        return is_ipv6(host) ? nullptr : "brackets are for an IPv6 address";
    }
    host = authority.substr(0, authority.find(':'));
    authority.remove_prefix(host.size());
    if (host.empty()) return "the host is missing";
    const bool valid = std::all_of(host.begin(), host.end(), is_name_char);
    return valid ? nullptr : "the host has other characters than letters, digits, \"-\" and \".\"";
}

bool begins_with_scheme(std::string_view text, std::string_view scheme) noexcept {
    return http::equal_ignoring_case(text.substr(0, scheme.size()), scheme);
}

// What the host leaves: nothing, a colon, or a colon and a number.
bool take_port(std::string_view text, std::uint16_t& port) {
    if (text.empty() || text == ":") return true;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    return ec == std::errc{} && end == text.data() + text.size() && port != 0;
}

// What a request target cannot carry as it is (RFC 3986, 2 and 3.3).
bool has_to_be_encoded(char c) noexcept {
    return c <= ' ' || c >= '\x7f' || std::string_view("\"<>\\^`{|}").find(c) != std::string::npos;
}

}  // namespace

std::string http_url::authority() const {
    std::string out = host.find(':') == host.npos ? host : "[" + host + "]";
    if (port != (secure ? secure_port : plain_port)) out += ":" + std::to_string(port);
    return out;
}

bool http_url::on_this_machine() const noexcept {
    in_addr four;
    if (inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    in6_addr six;
    if (inet_pton(AF_INET6, host.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
    return http::equal_ignoring_case(host, "localhost");
}

std::string http_url::shown() const {
    return authority() + path.substr(0, path.find('?'));
}

result<http_url> parse_http_url(std::string_view text) {
    http_url out;
    out.secure = begins_with_scheme(text, secure_scheme);
    if (!out.secure && !begins_with_scheme(text, plain_scheme)) {
        return malformed(text, "only http:// and https:// are supported");
    }
    if (out.secure) out.port = secure_port;
    std::string_view rest = text.substr((out.secure ? secure_scheme : plain_scheme).size());
    const std::size_t slash = std::min(rest.find_first_of("/?#"), rest.size());
    std::string_view authority = rest.substr(0, slash);
    if (authority.find('@') != authority.npos) {
        return malformed(text, "a user name or password in a URL is not supported");
    }
    if (std::any_of(rest.begin(), rest.end(), has_to_be_encoded)) {
        return malformed(text, "it has characters that must be percent-encoded");
    }
    if (slash < rest.size()) out.path = rest.substr(slash);
    if (out.path.front() != '/') out.path.insert(0, 1, '/');
    if (out.path.find('#') != std::string::npos) {
        return malformed(text, "a fragment is never sent to a server");
    }
    if (const char* wrong = take_host(authority, out.host)) return malformed(text, wrong);
    if (!take_port(authority, out.port)) {
        return malformed(text, "the port is not a number from 1 to 65535");
    }
    return out;
}

}  // namespace orderproc::server
