#ifndef ORDERPROC_LIB_CORE_INTEGER_TEXT_HPP
#define ORDERPROC_LIB_CORE_INTEGER_TEXT_HPP

// Users who are integers: common, and short as numbers.

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace orderproc {
inline namespace v1 {
namespace detail {

// The integer of 1 to 2^63 - 1 whose decimal form the text is, digit for digit; 0: there is none.
inline std::int64_t positive_integer(std::string_view text) noexcept {
    if (text.empty() || text.front() < '1' || text.front() > '9') return 0;
    std::int64_t out = 0;
    const char* const end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, out);
    return ec == std::errc{} && at == end ? out : 0;
}

inline void assign_integer(std::int64_t value, std::string& out) {
    char text[20];
    out.assign(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
