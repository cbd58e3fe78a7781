#include "text/terminal_text.hpp"

#include <cstddef>

namespace orderproc::server {

namespace {

constexpr char32_t replacement = 0xFFFD;

struct character {
    char32_t code = replacement;
    std::size_t size = 1;  // in bytes
    bool valid = false;    // false: one byte that is not UTF-8 (RFC 3629)
};

// REQUIRES: the text is not empty.
character first_of(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};
    if (lead < 0xC2 || lead > 0xF4) return {};
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() < size) return {};
    char32_t code = lead & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        code = code << 6 | (byte(i) & 0x3F);
    }
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < least[size] || surrogate || code > 0x10FFFF) return {};
    return {code, size, true};
}

bool is_unsafe(char32_t code) noexcept {
    if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) return true;
    if (code < 0x061C) return false;
    return code == 0x061C || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x206F);
}

void append_hex(char32_t code, int digits, std::string& out) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        out.push_back("0123456789abcdef"[code >> shift & 15]);
    }
}

void append_json_escape(char32_t code, std::string& out) {
    out.append("\\u");
    append_hex(code, 4, out);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const character it = first_of(text);
        if (!it.valid) {
            append_hex(static_cast<unsigned char>(text.front()), 2, out.append("\\x"));
        } else if (!is_unsafe(it.code)) {
            out.append(text.substr(0, it.size));
        } else if (it.code <= 0xFF) {
            append_hex(it.code, 2, out.append("\\x"));
        } else {
            append_hex(it.code, 4, out.append("\\u"));
        }
        text.remove_prefix(it.size);
    }
    return out;
}

std::string printable_json(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    bool in_string = false;
    bool after_backslash = false;
    while (!json.empty()) {
        const character it = first_of(json);
        const bool space = it.code == '\n' || it.code == '\r' || it.code == '\t';
        if (it.valid && !is_unsafe(it.code)) {
            out.append(json.substr(0, it.size));
        } else if (space && !in_string) {
            out.push_back(' ');
        } else {
            append_json_escape(it.code, out);
        }
        if (it.code == '"' && !after_backslash) in_string = !in_string;
        after_backslash = in_string && !after_backslash && it.code == '\\';
        json.remove_prefix(it.size);
    }
    return out;
}

}  // namespace orderproc::server
