#ifndef ORDERPROC_LIB_CORE_INTEGER_TEXT_HPP
#define ORDERPROC_LIB_CORE_INTEGER_TEXT_HPP

// Users who are integers: common, and short as numbers.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// The integer of 1 to 2^63 - 1 whose decimal form the text is, digit for digit; 0: there is none.
inline std::int64_t positive_integer(std::string_view text) noexcept {
    constexpr std::size_t digits_max = 19;  // as many as fit into 64 bits without a sign
    if (text.empty() || text.size() > digits_max || text.front() == '0') return 0;
    std::uint64_t out = 0;
    for (const char c : text) {
        const auto digit = static_cast<unsigned char>(c - '0');
        if (digit > 9) return 0;
        out = 10 * out + digit;
    }
    return out <= std::uint64_t{INT64_MAX} ? static_cast<std::int64_t>(out) : 0;
}

inline void assign_integer(std::int64_t value, std::string& out) {
    char text[20];
    out.assign(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
