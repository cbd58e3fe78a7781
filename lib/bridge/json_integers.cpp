#include "json_integers.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

std::int64_t saturated_exponent(std::string_view digits) noexcept {
    // Beyond every text's number of digits, and ten times as much still fits.
    constexpr std::int64_t limit = 100'000'000'000'000'000;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t out = 0;
    for (const char c : digits) out = std::min(out * 10 + (c - '0'), limit);
    return negative ? -out : out;
}

// Without its sign.
integer_verdict parse_magnitude(std::string_view number, std::uint64_t& out) noexcept {
    constexpr std::int64_t digits_max = 19;  // of 2^63; 10^19 - 1 still fits into 64 bits
    if (number.starts_with('-')) number.remove_prefix(1);
    const std::size_t e = number.find_first_of("eE");
    const std::string_view mantissa = number.substr(0, e);
    std::int64_t exponent =
        e == std::string_view::npos ? 0 : saturated_exponent(number.substr(e + 1));

    // The value is significant * 10^exponent, without zeros at significant's end.
    std::uint64_t significant = 0;
    std::int64_t digits = 0;
    std::int64_t zeros = 0;
    bool fraction = false;
    for (const char c : mantissa) {
        if (c == '.') {
            fraction = true;
            continue;
        }
        if (fraction) --exponent;
        if (c == '0') {
            zeros += digits != 0;
            continue;
        }
        digits += zeros + 1;
        if (digits <= digits_max) {
            for (; zeros > 0; --zeros) significant *= 10;
            significant = significant * 10 + static_cast<std::uint64_t>(c - '0');
        }
        zeros = 0;
    }
    out = 0;
    if (digits == 0) return integer_verdict::ok;
    exponent += zeros;
    if (exponent < 0) return integer_verdict::fractional;
    if (digits + exponent > digits_max) return integer_verdict::out_of_range;
    for (; exponent > 0; --exponent) significant *= 10;
    out = significant;
    return integer_verdict::ok;
}

}  // namespace

integer_verdict parse_integer(std::string_view number, std::int64_t& out) noexcept {
    const char* const end = number.data() + number.size();
    const auto [at, ec] = std::from_chars(number.data(), end, out);
    if (ec == std::errc{} && at == end) return integer_verdict::ok;
    const bool negative = number.starts_with('-');
    const std::uint64_t most = std::uint64_t{INT64_MAX} + (negative ? 1 : 0);
    std::uint64_t magnitude = 0;
    const integer_verdict verdict = parse_magnitude(number, magnitude);
    if (verdict != integer_verdict::ok) return verdict;
    if (magnitude > most) return integer_verdict::out_of_range;
    out = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
    return integer_verdict::ok;
}

bool same_integer(std::string_view left, std::string_view right) noexcept {
    std::int64_t a = 0;
    std::int64_t b = 0;
    return parse_integer(left, a) == integer_verdict::ok &&
           parse_integer(right, b) == integer_verdict::ok && a == b;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
