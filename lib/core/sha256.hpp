#ifndef ORDERPROC_CORE_SHA256_HPP
#define ORDERPROC_CORE_SHA256_HPP

#include <array>
#include <cstddef>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// FIPS 180-4, section 6.2. Of its own, so that the core needs no cryptographic library: what it
// protects is against accidents, and it is judged by NIST's vectors.
std::array<std::byte, 32> sha256(std::string_view text) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
