#include "client/http_client.hpp"
#include "http/message.hpp"

#include <algorithm>
#include <charconv>

namespace orderproc::server {

namespace {

constexpr std::chrono::seconds retry_after_max = std::chrono::hours(24);

}  // namespace

std::string http_url::authority() const {
    const bool six = host.find(':') != std::string::npos;
    return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

result<http_url> parse_http_url(std::string_view text) {
    const auto bad = [&](const char* why) {
        return failure{
            errc::invalid_argument,
            "\"" + std::string(text) + "\" is no URL such as http://host:8000/path: " + why};
    };
    constexpr std::string_view scheme = "http://";
    if (!text.starts_with(scheme)) return bad("only http:// is spoken");
    const bool printable =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (!printable) return bad("characters that have to be encoded");
    std::string_view rest = text.substr(scheme.size());
    const std::size_t slash = std::min(rest.find_first_of("/?#"), rest.size());
    std::string_view authority = rest.substr(0, slash);
    http_url out;
    if (slash < rest.size()) out.path = rest.substr(slash);
    if (out.path.front() == '?') out.path.insert(0, 1, '/');
    if (out.path.find('#') != std::string::npos) return bad("a fragment is not sent");
    if (authority.find('@') != authority.npos) return bad("no user names in URLs");

    const bool bracketed = authority.starts_with('[');
    const std::size_t end = bracketed ? authority.find(']') : authority.find(':');
    if (bracketed && end == authority.npos) return bad("a bracket is missing");
    out.host = bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
    authority.remove_prefix(end == authority.npos ? authority.size() : end + (bracketed ? 1 : 0));
    if (out.host.empty()) return bad("no host");
    if (authority.empty()) return out;
    authority.remove_prefix(1);
    const auto [last, ec] =
        std::from_chars(authority.data(), authority.data() + authority.size(), out.port);
    if (ec != std::errc{} || last != authority.data() + authority.size() || out.port == 0) {
        return bad("the port is malformed");
    }
    return out;
}

std::string_view fetch_response::find(std::string_view name) const noexcept {
    for (const auto& [key, value] : fields) {
        if (http::equal_ignoring_case(key, name)) return value;
    }
    return {};
}

std::optional<std::chrono::seconds> fetch_response::retry_after() const noexcept {
    const std::string_view text = find("Retry-After");
    std::int64_t seconds = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool whole = !text.empty() && ec == std::errc{} && end == text.data() + text.size();
    if (!whole || seconds < 0 || seconds > retry_after_max.count()) return std::nullopt;
    return std::chrono::seconds(seconds);
}

}  // namespace orderproc::server
