#include "core/utf8.hpp"

#include <orderproc/json_text.hpp>

namespace orderproc {
inline namespace v1 {

namespace {

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
    const char* at = text.data();
    const char* const end = at + text.size();
    const char* copied = at;  // up to here
    const auto copy = [&] { out.append(copied, at); };
    while (at != end) {
        const char c = *at;
        if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
            copy();
            append_escape(c, out);
            copied = ++at;
            continue;
        }
        const detail::utf8_step step = detail::step_utf8(at, end);
        if (!step.valid) {
            copy();
            out += "\xEF\xBF\xBD";
            copied = at + step.size;
        }
        at += step.size;
    }
    copy();
    out += '"';
}

}  // namespace v1
}  // namespace orderproc
