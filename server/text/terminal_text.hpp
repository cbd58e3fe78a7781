#ifndef ORDERPROC_SERVER_TEXT_TERMINAL_TEXT_HPP
#define ORDERPROC_SERVER_TEXT_TERMINAL_TEXT_HPP

// Text of others, made safe to show: a terminal, a log viewer or an editor must not obey it.
//
// Unsafe are control characters (C0, DEL and C1), line and paragraph separators (U+2028, U+2029),
// characters that change the direction of writing (U+061C, U+200E, U+200F, U+202A to U+202E,
// U+2066 to U+206F), and bytes that are not UTF-8.

#include <string>
#include <string_view>

namespace orderproc::server {

// For people. An unsafe character is shown as \x1b or \u202e, a byte that is not UTF-8 as \xff.
std::string printable(std::string_view text);

// For programs: JSON text with the same meaning, on one line. Within strings an unsafe character
// becomes an escape such as \u001b, and each byte that is not UTF-8 becomes \ufffd; between tokens
// a line break or tab becomes a space.
std::string printable_json(std::string_view json);

}  // namespace orderproc::server

#endif
