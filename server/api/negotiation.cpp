#include "api/negotiation.hpp"

#include "http/message.hpp"

#include <algorithm>

namespace orderproc::server {

namespace {

constexpr unsigned full = 1000;

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// Takes the part up to the mark off the text.
std::string_view next_part(std::string_view& text, char mark) noexcept {
    const std::size_t end = std::min(text.find(mark), text.size());
    const std::string_view out = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return out;
}

// "0.25" as thousandths; what is malformed counts as nothing.
unsigned parse_weight(std::string_view text) noexcept {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
    unsigned out = static_cast<unsigned>(text[0] - '0') * full;
    if (text.size() > 1 && text[1] != '.') return 0;
    unsigned place = 100;
    for (std::size_t i = 2; i < text.size(); ++i, place /= 10) {
        if (text[i] < '0' || text[i] > '9') return 0;
        out += static_cast<unsigned>(text[i] - '0') * place;
    }
    return std::min(out, full);
}

}  // namespace

unsigned quality_of(std::string_view accept, std::string_view type) noexcept {
    if (trimmed(accept).empty()) return full;
    const std::string_view group = type.substr(0, type.find('/'));
    unsigned quality = 0;
    int best = -1;  // how specific the range was that it comes from
    while (!accept.empty()) {
        std::string_view range = next_part(accept, ',');
        const std::string_view name = next_part(range, ';');
        const bool group_only = name.ends_with("/*") && name.size() > 2 &&
                                http::equal_ignoring_case(name.substr(0, name.size() - 2), group);
        const int specific = http::equal_ignoring_case(name, type) ? 2
                             : group_only                          ? 1
                             : name == "*/*" || name == "*"        ? 0
                                                                   : -1;
        if (specific <= best) continue;
        unsigned weight = full;
        while (!range.empty()) {
            const std::string_view parameter = next_part(range, ';');
            if (parameter.size() > 2 && (parameter[0] | 32) == 'q' && parameter[1] == '=') {
                weight = parse_weight(parameter.substr(2));
            }
        }
        best = specific;
        quality = weight;
    }
    return quality;
}

bool accepts_gzip(std::string_view accept_encoding) noexcept {
    return !trimmed(accept_encoding).empty() && quality_of(accept_encoding, "gzip") > 0;
}

bool prefers_prometheus(std::string_view accept) noexcept {
    const unsigned text = std::max(quality_of(accept, "text/plain"),
                                   quality_of(accept, "application/openmetrics-text"));
    return text > quality_of(accept, "application/json");
}

}  // namespace orderproc::server
