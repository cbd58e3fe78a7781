#ifndef ORDERPROC_SERVER_CLI_STORAGE_SECRET_HPP
#define ORDERPROC_SERVER_CLI_STORAGE_SECRET_HPP

#include <orderproc/repository.hpp>

#include <string>
#include <string_view>

namespace orderproc::server {

// A secret of 256 random bits that all processes on a storage have in common: a record, which the
// first of them makes. Empty: the storage keeps no records.
result<std::string> load_storage_secret(storage& orders, std::string_view name);

}  // namespace orderproc::server

#endif
