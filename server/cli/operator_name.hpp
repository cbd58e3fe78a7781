#ifndef ORDERPROC_SERVER_CLI_OPERATOR_NAME_HPP
#define ORDERPROC_SERVER_CLI_OPERATOR_NAME_HPP

#include <orderproc/error.hpp>

#include <string>

namespace orderproc::server {

// Who runs a command, as audit records have it: "cli:anna", or with --as "cli:root as anna".
// errc::invalid_argument: --as is longer than 100 bytes or has control characters.
result<std::string> operator_name(const std::string& as);

}  // namespace orderproc::server

#endif
