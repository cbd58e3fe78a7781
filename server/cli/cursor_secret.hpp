#ifndef ORDERPROC_SERVER_CLI_CURSOR_SECRET_HPP
#define ORDERPROC_SERVER_CLI_CURSOR_SECRET_HPP

#include <orderproc/repository.hpp>

#include <string>

namespace orderproc::server {

// The secret of a storage's servers under which cursors are sealed: a record, which the first
// server makes, so that any server opens what another one has sealed. Empty: the storage keeps no
// records.
result<std::string> load_cursor_secret(storage& orders);

}  // namespace orderproc::server

#endif
