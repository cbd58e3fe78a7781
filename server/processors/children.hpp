#ifndef ORDERPROC_SERVER_PROCESSORS_CHILDREN_HPP
#define ORDERPROC_SERVER_PROCESSORS_CHILDREN_HPP

// The child processes of this process: how they are started, and how they are waited for.

#include <orderproc/error.hpp>

#include <sys/types.h>

#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace orderproc::server {

// The path of a program. A name without a slash is looked for in PATH, whose empty parts are not
// the working directory here. errc::invalid_argument: there is no such file, it may not be
// executed, or it is a script whose interpreter is missing.
result<std::string> find_program(const std::string& name);

struct child_command {
    std::string path;                      // of the program, as find_program() returns it
    std::vector<std::string> arguments;    // the first one is what the program is called
    std::vector<std::string> environment;  // NAME=value; the program gets no other variables
};

struct child {
    pid_t process = 0;
    int descriptor = -1;  // refers to the process (pidfd_open(2)); the owner closes it
};

struct child_exit {
    int error = 0;   // errno: nobody knows how the process ended
    int code = 0;    // exit code
    int signal = 0;  // the one that killed it; 0: it exited
};

// There is one table in a process, as the kernel has one list of children. Thread-safe.
class child_table {
public:
    static child_table& of_this_process();

    // Starts a program that leads a process group of its own. Its standard input and error are
    // these descriptors, its output goes to /dev/null, and it gets no other descriptor. Signals
    // are neither blocked nor ignored in it. The kernel kills it when the calling thread ends, so
    // that it does not outlive a server that was killed. Returns 0 and the child, or an errno.
    // ECHILD: it was started, but its exit code is lost since SIGCHLD is ignored.
    int start(const child_command& what, int input, int errors, child& out);

    // How a child has ended. REQUIRES: it has, that is, its descriptor is readable.
    child_exit wait(const child& it);

    // Reaps processes that have ended and that start() did not return: a process that is the
    // first of a PID namespace, or a subreaper, is the parent of every orphan below it. From then
    // on wait() does so, too. Never takes a status that a wait() is for.
    void reap_adopted();

private:
    void reap_adopted_locked();

    std::mutex mutex_;
    std::set<pid_t> own_;
    bool adopts_ = false;
};

}  // namespace orderproc::server

#endif
