#ifndef ORDERPROC_LIB_CORE_UTF8_HPP
#define ORDERPROC_LIB_CORE_UTF8_HPP

// One step through text that claims to be UTF-8 (RFC 3629).

#include <cstddef>

namespace orderproc {
inline namespace v1 {
namespace detail {

struct utf8_step {
    std::size_t size;  // 1 or more
    bool valid;
};

// The sequence at begin or, where there is none, the part of one that U+FFFD stands for
// (Unicode 15, table 3-8). REQUIRES: begin != end.
inline utf8_step step_utf8(const char* begin, const char* end) noexcept {
    const auto byte = [begin](std::size_t i) { return static_cast<unsigned char>(begin[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {1, true};
    if (lead < 0xC2 || lead > 0xF4) return {1, false};
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    // The second byte rules out what is overlong, a surrogate or above U+10FFFF.
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    for (std::size_t i = 1; i < size; ++i) {
        if (begin + i == end || byte(i) < low || byte(i) > high) return {i, false};
        low = 0x80;
        high = 0xBF;
    }
    return {size, true};
}

// REQUIRES: a code point that is no surrogate. Returns how many bytes it wrote, at most 4.
inline std::size_t write_utf8(char32_t code, char* out) noexcept {
    const auto tail = [code](int shift) {
        return static_cast<char>(0x80 | ((code >> shift) & 0x3F));
    };
    if (code < 0x80) {
        out[0] = static_cast<char>(code);
        return 1;
    }
    if (code < 0x800) {
        out[0] = static_cast<char>(0xC0 | (code >> 6));
        out[1] = tail(0);
        return 2;
    }
    if (code < 0x10000) {
        out[0] = static_cast<char>(0xE0 | (code >> 12));
        out[1] = tail(6);
        out[2] = tail(0);
        return 3;
    }
    out[0] = static_cast<char>(0xF0 | (code >> 18));
    out[1] = tail(12);
    out[2] = tail(6);
    out[3] = tail(0);
    return 4;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
