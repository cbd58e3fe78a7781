#ifndef ORDERPROC_SERVER_CLIENT_HTTP_DATE_HPP
#define ORDERPROC_SERVER_CLIENT_HTTP_DATE_HPP

#include <chrono>
#include <optional>
#include <string_view>

namespace orderproc::server {

// Reads an HTTP-date in any of its three forms (RFC 9110, 5.6.7). A year of two digits is the last
// such year that is not more than 50 years after now; a leap second is the second after it. The day
// of the week has to be one, but need not fit the date. nullopt: it is no HTTP-date.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text,
                                                        std::chrono::sys_seconds now) noexcept;

}  // namespace orderproc::server

#endif
