#ifndef ORDERPROC_SERVER_API_URI_HPP
#define ORDERPROC_SERVER_API_URI_HPP

// Percent-encoding (RFC 3986, 2.1), read strictly.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// None if a percent sign is not followed by two hexadecimal digits. A plus sign is itself.
std::optional<std::string> percent_decode(std::string_view text);

void percent_encode(std::string_view text, std::string& out);

struct query_parameter {
    std::string name;
    std::string value;
};
// In the order of the text; empty parts ("a=1&&b=2") are left out. None if a part is malformed.
std::optional<std::vector<query_parameter>> parse_query(std::string_view query);

}  // namespace orderproc::server

#endif
