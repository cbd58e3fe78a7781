#ifndef ORDERPROC_SERVER_TEXT_SECRET_FILE_HPP
#define ORDERPROC_SERVER_TEXT_SECRET_FILE_HPP

// Files with keys and passwords.

#include <orderproc/error.hpp>

#include <cstddef>
#include <string>

namespace orderproc::server {

// What every user of the machine may read is no secret. errc::invalid_argument, with a detail that
// begins with the path: there is no such file, or its mode lets others read, write or execute it.
result<void> check_secret_file(const std::string& path);

// The whole file, after that check. errc::invalid_argument, likewise: also if it cannot be read, or
// has more than so many bytes.
result<std::string> read_secret_file(const std::string& path, std::size_t size_max);

}  // namespace orderproc::server

#endif
