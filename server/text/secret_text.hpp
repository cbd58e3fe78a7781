#ifndef ORDERPROC_SERVER_TEXT_SECRET_TEXT_HPP
#define ORDERPROC_SERVER_TEXT_SECRET_TEXT_HPP

// Digests and signatures as text, and how to compare them.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace orderproc::server {

// Lower-case hexadecimal digits, two for each byte.
inline std::string hex_of(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes.size());
    for (const std::byte it : bytes) {
        out.push_back(digits[std::to_integer<unsigned>(it) >> 4]);
        out.push_back(digits[std::to_integer<unsigned>(it) & 15]);
    }
    return out;
}

// In a time that does not depend on where they differ, but on the size of the first.
inline bool equal_in_constant_time(std::span<const std::byte> a,
                                   std::span<const std::byte> b) noexcept {
    if (a.size() != b.size()) return false;
    volatile unsigned differs = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        differs = differs | std::to_integer<unsigned>(a[i] ^ b[i]);
    }
    return differs == 0;
}

inline bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return equal_in_constant_time(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

}  // namespace orderproc::server

#endif
