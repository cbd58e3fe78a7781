#ifndef ORDERPROC_SERVER_CLI_ROTATE_EPOCH_HPP
#define ORDERPROC_SERVER_CLI_ROTATE_EPOCH_HPP

#include <orderproc/repository.hpp>

#include <cstdint>
#include <string_view>

namespace orderproc::server {

// Begins a new epoch of the journal, with a random number, which is returned. by: the command, for
// the refusal of a storage without epochs.
result<std::uint64_t> begin_new_epoch(storage& orders, std::string_view by);

}  // namespace orderproc::server

#endif
