#ifndef ORDERPROC_LIB_CORE_TEXT_HPP
#define ORDERPROC_LIB_CORE_TEXT_HPP

// What texts of hosts may consist of: they go into the journal, from where every storage and every
// reader of the feed has to take them.

#include "core/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// lines: UTF-8 (RFC 3629) without NUL; one_line: without any control character of ASCII;
// ascii: printable ASCII.
enum class text_kind : std::uint8_t { lines, one_line, ascii };

inline bool is_text(std::string_view text, text_kind kind) noexcept {
    if (kind == text_kind::ascii) {
        return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
    }
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const auto byte = static_cast<unsigned char>(*at);
        if (byte == 0 || (kind == text_kind::one_line && (byte < 0x20 || byte == 0x7f))) {
            return false;
        }
        if (byte < 0x80) {  // nearly always
            ++at;
            continue;
        }
        const utf8_step step = step_utf8(at, end);
        if (!step.valid) return false;
        at += step.size;
    }
    return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
