#ifndef ORDERPROC_SERVER_AUTH_STRICT_JSON_HPP
#define ORDERPROC_SERVER_AUTH_STRICT_JSON_HPP

// JSON (RFC 8259) whose meaning no two readers see differently.

#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace orderproc::server::auth {

inline constexpr std::size_t json_depth_max = 32;

// None: it is not JSON in UTF-8, is nested deeper than json_depth_max, or an object in it has a
// name twice (RFC 8725, 2.4: the one reader takes the first, the other the last).
std::optional<boost::json::value> parse_strictly(std::string_view text);

}  // namespace orderproc::server::auth

#endif
