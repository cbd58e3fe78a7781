#ifndef ORDERPROC_SERVER_CLI_FILE_LIMIT_HPP
#define ORDERPROC_SERVER_CLI_FILE_LIMIT_HPP

#include <orderproc/error.hpp>

#include <cstddef>

namespace orderproc::server {

// Lets the process open as many files as the system grants it. errc::invalid_argument if those
// are too few for the connections and what else the process opens.
result<void> raise_file_limit(std::size_t connections);

}  // namespace orderproc::server

#endif
