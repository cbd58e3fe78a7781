#ifndef ORDERPROC_SERVER_CLI_ORDER_CLIENT_HPP
#define ORDERPROC_SERVER_CLI_ORDER_CLIENT_HPP

// What `orderproc order …` asks a server, and how it shows the answers.

#include "client/http_client.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// Control characters as \x1b and the like: texts of clients must not command a terminal.
std::string printable(std::string_view text);

// Columns as wide as their widest cell (in UTF-8 characters), two spaces apart.
std::string make_table(const std::vector<std::vector<std::string>>& rows);

// "1001" or "1001x3", appended to ids. errc::invalid_argument.
result<void> parse_item(std::string_view text, std::vector<std::string>& ids);

// A page's worth of columns for people.
std::vector<std::string> order_headings();
std::vector<std::string> order_row(const boost::json::object& order);

// The problem of an answer (RFC 9457) for people: a line, and one for each of its errors.
std::string problem_text(const fetch_response& got);

// A server's orders. Requests that are safe to repeat are repeated a few times while the server
// is overloaded or away.
class order_client {
public:
    explicit order_client(http_url to) : to_(std::move(to)) {}
    result<fetch_response> ask(fetch_request what) const;

private:
    const http_url to_;
};

}  // namespace orderproc::server

#endif
