#include "client/http_message.hpp"

#include "client/http_date.hpp"
#include "http/message.hpp"

#include <algorithm>
#include <array>

namespace orderproc::server {

namespace {

constexpr std::chrono::seconds retry_after_max = std::chrono::hours(24);

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_token_char(char c) noexcept {  // RFC 9110, 5.6.2
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_value_char(char c) noexcept {  // RFC 9110, 5.5
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
}

bool is_target_char(char c) noexcept {
    return c > ' ' && c < '\x7f';
}

// Digits alone; more than fit are very many.
std::chrono::seconds seconds_of(std::string_view digits) noexcept {
    std::chrono::seconds out{0};
    for (const char c : digits) {
        out = std::min(out * 10 + std::chrono::seconds(c - '0'), retry_after_max);
    }
    return out;
}

}  // namespace

bool fetch_request::may_be_repeated() const noexcept {
    constexpr std::array<std::string_view, 6> idempotent{"GET",   "HEAD", "OPTIONS",
                                                         "TRACE", "PUT",  "DELETE"};
    const bool keyed = std::any_of(fields.begin(), fields.end(), [](const auto& it) {
        return http::equal_ignoring_case(it.first, "Idempotency-Key");
    });
    return repeatable || keyed ||
           std::find(idempotent.begin(), idempotent.end(), method) != idempotent.end();
}

result<void> fetch_request::validate() const {
    if (!is_token(method)) return failure{errc::invalid_argument, "the method is not a token"};
    if (!target.starts_with('/') || !std::all_of(target.begin(), target.end(), is_target_char)) {
        return failure{errc::invalid_argument, "the target has characters that must be encoded"};
    }
    for (const auto& [name, value] : fields) {
        if (!is_token(name)) return failure{errc::invalid_argument, "a field name is not a token"};
        if (!std::all_of(value.begin(), value.end(), is_value_char)) {
            return failure{errc::invalid_argument,
                           "the field " + name + " cannot hold control characters"};
        }
    }
    return {};
}

std::string fetch_response::status_text() const {
    std::string out = "the server answered " + std::to_string(status);
    if (status / 100 == 3) out += ", and redirects are not followed";
    return out;
}

std::string_view fetch_response::find(std::string_view name) const noexcept {
    for (const auto& [key, value] : fields) {
        if (http::equal_ignoring_case(key, name)) return value;
    }
    return {};
}

std::optional<std::chrono::seconds> fetch_response::retry_after(
    std::chrono::sys_seconds now) const noexcept {
    const std::string_view text = find("Retry-After");
    if (text.empty()) return std::nullopt;
    if (std::all_of(text.begin(), text.end(), is_digit)) return seconds_of(text);
    const auto until = parse_http_date(text, now);
    if (!until) return std::nullopt;
    const auto from = parse_http_date(find("Date"), now).value_or(now);
    return std::clamp(*until - from, std::chrono::seconds(0), retry_after_max);
}

}  // namespace orderproc::server
