#include "stages/reason_text.hpp"

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

unsigned char byte(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

// Bytes of the character that text starts with; 0 if it is none (RFC 3629, section 4).
std::size_t character_size(std::string_view text) {
    const unsigned char first = byte(text, 0);
    if (first < 0x80) return first == 0 ? 0 : 1;
    if (first < 0xc2 || first > 0xf4) return 0;
    const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (text.size() < size) return 0;
    unsigned char low = 0x80, high = 0xbf;
    if (first == 0xe0) low = 0xa0;   // overlong
    if (first == 0xed) high = 0x9f;  // surrogates
    if (first == 0xf0) low = 0x90;   // overlong
    if (first == 0xf4) high = 0x8f;  // beyond U+10FFFF
    if (byte(text, 1) < low || byte(text, 1) > high) return 0;
    for (std::size_t i = 2; i < size; ++i) {
        if ((byte(text, i) & 0xc0) != 0x80) return 0;
    }
    return size;
}

}  // namespace

std::string reason_text(std::string_view said) {
    std::string out;
    while (!said.empty()) {
        const std::size_t size = character_size(said);
        const std::string_view next = size == 0 ? std::string_view("?") : said.substr(0, size);
        if (out.size() + next.size() > reason_size_max) break;
        out += next;
        said.remove_prefix(size == 0 ? 1 : size);
    }
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
