#ifndef ORDERPROC_LIB_BRIDGE_JSON_INTEGERS_HPP
#define ORDERPROC_LIB_BRIDGE_JSON_INTEGERS_HPP

// JSON numbers that are integers, by their value.

#include <cstdint>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

enum class integer_verdict : std::uint8_t { ok, fractional, out_of_range };

// An integer of 64 bits: 5, 5.0, 50e-1 and 0.5e1 are the same. On failure out has no meaning.
// REQUIRES: a JSON number, as does the other.
integer_verdict parse_integer(std::string_view number, std::int64_t& out) noexcept;

// Are two JSON numbers the same integer?
bool same_integer(std::string_view left, std::string_view right) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
