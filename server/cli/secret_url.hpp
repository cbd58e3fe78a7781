#ifndef ORDERPROC_SERVER_CLI_SECRET_URL_HPP
#define ORDERPROC_SERVER_CLI_SECRET_URL_HPP

// URLs that may have a password in them, of brokers and databases.

#include <orderproc/error.hpp>

#include <string>
#include <string_view>

namespace orderproc::server {

// "scheme://user:password@host", or a query with a password in it.
bool has_password(std::string_view url);

// The first line of the file. errc::invalid_argument: it has none; what: whose URL it should be.
result<std::string> read_url(const std::string& path, std::string_view what);

}  // namespace orderproc::server

#endif
