#ifndef ORDERPROC_TIMESTAMP_HPP
#define ORDERPROC_TIMESTAMP_HPP

// Points in time as they are stored and shown: UTC, milliseconds.

#include <orderproc/error.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

// RFC 3339 in UTC with three decimals: "2026-06-15T14:23:11.326Z". The 24 characters are
// written for years 0000 to 9999; outside of them the nearest of the two ends is.
inline constexpr std::size_t timestamp_text_size = 24;
ORDERPROC_EXPORT void format_to(timestamp value, char* out) noexcept;  // exactly 24 characters
ORDERPROC_EXPORT std::string to_string(timestamp value);

// Any RFC 3339 date-time: "T" and "Z" in either case, a numeric offset, any number of
// decimals (those beyond the third are cut off). A leap second (:60) is the second after.
// errc::invalid_argument for anything else.
ORDERPROC_EXPORT result<timestamp> parse_timestamp(std::string_view text);

}  // namespace v1
}  // namespace orderproc

#endif
