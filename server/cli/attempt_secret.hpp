#ifndef ORDERPROC_SERVER_CLI_ATTEMPT_SECRET_HPP
#define ORDERPROC_SERVER_CLI_ATTEMPT_SECRET_HPP

// The secret of a storage by which attempts are answered.

#include "attempts/attempt_tokens.hpp"

#include <orderproc/repository.hpp>

#include <memory>

namespace orderproc::server {

// What all processes on the storage have in common: the first one makes the secret, as a record.
// None if the storage has no records.
result<std::unique_ptr<attempt_tokens>> open_attempt_tokens(storage& orders);

}  // namespace orderproc::server

#endif
