#ifndef ORDERPROC_SERVER_CLI_RECORD_WRITE_HPP
#define ORDERPROC_SERVER_CLI_RECORD_WRITE_HPP

// Records that are written without an engine: before there is one.

#include <orderproc/repository.hpp>

#include <optional>
#include <span>

namespace orderproc::server {

// All of them in one transaction, which depends on the guard. The error is that of the call, or of
// the first record that was refused; then nothing but the records before it was written. What the
// guard refuses is errc::model_changed.
result<void> write_records(storage& orders, std::span<const change_record> what,
                           std::optional<record_guard> guard);

}  // namespace orderproc::server

#endif
