#include "cli/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace orderproc::server {

void open_standard_descriptors() noexcept {
    // The lowest free number is given: those below are open already.
    for (int it = STDIN_FILENO; it <= STDERR_FILENO; ++it) {
        if (::fcntl(it, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);  // children need it, too
    }
}

void refuse_new_privileges() noexcept {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

bool runs_as_root() noexcept {
    return ::geteuid() == 0;
}

}  // namespace orderproc::server
