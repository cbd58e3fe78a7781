#ifndef ORDERPROC_SERVER_CLI_PROCESS_HPP
#define ORDERPROC_SERVER_CLI_PROCESS_HPP

// What a long-lived process asks of the system, and what it says about how it was started.

namespace orderproc::server {

// Opens /dev/null as each of the standard descriptors that is closed. Otherwise the first file or
// socket that is opened would become standard error, and get the log. Call before all else.
void open_standard_descriptors() noexcept;

// From here on neither this process nor the programs that it starts gain privileges from a file
// that they execute: set-user-ID programs such as sudo run without. See PR_SET_NO_NEW_PRIVS.
void refuse_new_privileges() noexcept;

// Whether the process may do everything.
bool runs_as_root() noexcept;

}  // namespace orderproc::server

#endif
