#include "core/utf8.hpp"

#include <orderproc/json_text.hpp>

#include <array>
#include <cstddef>

namespace orderproc {
inline namespace v1 {

namespace {

// What stands in a string as it is: ASCII without control characters, quotes and backslashes.
constexpr auto is_plain = [] {
    std::array<bool, 256> out{};
    for (std::size_t c = 0x20; c < 0x80; ++c) out[c] = c != '"' && c != '\\';
    return out;
}();

void append_escape(char c, std::string& out) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '\\';
    switch (c) {
        case '"':
        case '\\':
            out += c;
            return;
        case '\b':
            out += 'b';
            return;
        case '\f':
            out += 'f';
            return;
        case '\n':
            out += 'n';
            return;
        case '\r':
            out += 'r';
            return;
        case '\t':
            out += 't';
            return;
        default:
            out += "u00";
            out += hex[static_cast<unsigned char>(c) >> 4];
            out += hex[static_cast<unsigned char>(c) & 15];
    }
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
    out += '"';
    const char* const end = text.data() + text.size();
    const char* at = text.data();
    while (true) {
        const char* const plain = at;
        while (at != end && is_plain[static_cast<unsigned char>(*at)]) ++at;
        out.append(plain, at);
        if (at == end) break;
        if (static_cast<unsigned char>(*at) < 0x80) {
            append_escape(*at++, out);
            continue;
        }
        const detail::utf8_step step = detail::step_utf8(at, end);
        if (step.valid) {
            out.append(at, step.size);
        } else {
            out += "\xEF\xBF\xBD";
        }
        at += step.size;
    }
    out += '"';
}

}  // namespace v1
}  // namespace orderproc
