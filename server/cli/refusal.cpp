#include "cli/refusal.hpp"

#include <algorithm>

namespace orderproc::server {

namespace {

constexpr std::string_view hidden = "…";

// Where the part behind "scheme://", or else "scheme:", begins; npos: there is no scheme.
std::size_t behind_scheme(std::string_view value) {
    const std::size_t slashes = value.find("://");
    if (slashes != value.npos) return slashes + 3;
    const std::size_t colon = value.find(':');
    return colon == value.npos ? value.npos : colon + 1;
}

// The "?" of a URL, not that of a sentence: there is a scheme in the same word, or a whole one
// before it.
std::size_t find_query(std::string_view text) {
    for (std::size_t at = 0; (at = text.find('?', at)) != text.npos; ++at) {
        const std::string_view before = text.substr(0, at);
        const std::size_t blank = before.find_last_of(" \t\n");
        const std::string_view word = before.substr(blank == before.npos ? 0 : blank + 1);
        if (word.find(':') != word.npos || before.find("://") != before.npos) return at;
    }
    return text.npos;
}

}  // namespace

std::string without_secrets(std::string_view text) {
    std::string out(text);
    // A password may hold anything, spaces and quotes as well, so only the last @ ends it.
    const std::size_t quote = text.find('"');
    const std::size_t value = quote == text.npos ? 0 : quote + 1;
    const std::size_t at = text.rfind('@');
    if (at != text.npos && at > value) {
        const std::size_t behind = behind_scheme(text.substr(value, at - value));
        if (behind != text.npos) out.replace(value + behind, at - value - behind, hidden);
    }
    const std::size_t query = find_query(out);
    if (query == out.npos) return out;
    const std::size_t end = std::min(out.find('"', query), out.size());
    out.replace(query + 1, end - query - 1, hidden);
    return out;
}

}  // namespace orderproc::server
