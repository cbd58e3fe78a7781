#include "cli/refusal.hpp"

#include <algorithm>

namespace orderproc::server {

namespace {

constexpr std::string_view hidden = "…";

// Behind "scheme:" or "scheme://", which is looked for from there on.
std::size_t behind_scheme(std::string_view text, std::size_t from) {
    const std::size_t slashes = text.find("://", from);
    if (slashes != text.npos) return slashes + 3;
    const std::size_t colon = text.find(':', from);
    return colon == text.npos ? text.npos : colon + 1;
}

}  // namespace

std::string without_secrets(std::string_view text) {
    std::string out(text);
    // A password may hold anything, spaces and quotes as well, so only the last @ ends it.
    const std::size_t quote = out.find('"');
    const std::size_t value = quote == out.npos ? 0 : quote + 1;
    const std::size_t at = out.rfind('@');
    if (at != out.npos) {
        const std::size_t begin = behind_scheme(out, value);
        if (begin < at) out.replace(begin, at - begin, hidden);
    }
    const std::size_t scheme = out.find("://");
    if (scheme == out.npos) return out;
    const std::size_t query = out.find('?', scheme);
    if (query == out.npos) return out;
    const std::size_t end = std::min(out.find('"', query), out.size());
    out.replace(query + 1, end - query - 1, hidden);
    return out;
}

}  // namespace orderproc::server
