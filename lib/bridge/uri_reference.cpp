#include "uri_reference.hpp"

#include <algorithm>
#include <cstddef>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::string_view sub_delims = "!$&'()*+,;=";

bool is_alpha(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_unreserved(char c) noexcept {
    return is_alpha(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos;
}

// Unreserved characters, sub-delims, percent-encoded bytes, and those in more.
bool consists_of(std::string_view text, std::string_view more) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
            i += 2;
        } else if (!is_unreserved(text[i]) && sub_delims.find(text[i]) == sub_delims.npos &&
                   more.find(text[i]) == more.npos) {
            return false;
        }
    }
    return true;
}

bool is_scheme(std::string_view text) noexcept {
    return !text.empty() && is_alpha(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
           });
}

bool is_authority(std::string_view text) noexcept {
    const std::size_t at = text.rfind('@');
    if (at != text.npos) {
        if (!consists_of(text.substr(0, at), ":")) return false;
        text.remove_prefix(at + 1);
    }
    std::size_t end = text.find(':');
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == text.npos || close == 1) return false;
        if (!consists_of(text.substr(1, close - 1), ":")) return false;
        end = close + 1 == text.size() ? text.npos : close + 1;
        if (end != text.npos && text[end] != ':') return false;
    } else if (!consists_of(text.substr(0, end), "")) {
        return false;
    }
    const std::string_view port = end == text.npos ? std::string_view() : text.substr(end + 1);
    return std::all_of(port.begin(), port.end(), is_digit);
}

}  // namespace

bool is_uri_reference(std::string_view text) noexcept {
    if (const std::size_t hash = text.find('#'); hash != text.npos) {
        if (!consists_of(text.substr(hash + 1), ":@/?")) return false;
        text = text.substr(0, hash);
    }
    if (const std::size_t query = text.find('?'); query != text.npos) {
        if (!consists_of(text.substr(query + 1), ":@/?")) return false;
        text = text.substr(0, query);
    }
    // A colon in the first segment ends a scheme, or does not belong there.
    const std::string_view first = text.substr(0, text.find('/'));
    if (const std::size_t colon = first.find(':'); colon != first.npos) {
        if (!is_scheme(first.substr(0, colon))) return false;
        text.remove_prefix(colon + 1);
    }
    if (text.starts_with("//")) {
        text.remove_prefix(2);
        const std::size_t slash = std::min(text.find('/'), text.size());
        if (!is_authority(text.substr(0, slash))) return false;
        text.remove_prefix(slash);
    }
    return consists_of(text, ":@/");
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
