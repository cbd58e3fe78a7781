#ifndef ORDERPROC_JSON_TEXT_HPP
#define ORDERPROC_JSON_TEXT_HPP

// Any text as JSON (RFC 8259). Orders as JSON: json.hpp.

#include <orderproc/config.hpp>

#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

// Appends text as a JSON string with its quotes: quotes, backslashes and control characters
// escaped, the rest as it is. What is not UTF-8 becomes U+FFFD, one for each maximal subpart.
ORDERPROC_EXPORT void append_json_string(std::string_view text, std::string& out);

}  // namespace v1
}  // namespace orderproc

#endif
