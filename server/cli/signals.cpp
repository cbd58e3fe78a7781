#include "cli/signals.hpp"

#include "processors/children.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <initializer_list>

namespace orderproc::server {

namespace {

sigset_t set_of(std::initializer_list<int> signals) {
    sigset_t out;
    sigemptyset(&out);
    for (const int it : signals) sigaddset(&out, it);
    return out;
}

bool is_ignored(int which) {
    struct sigaction now {};
    return sigaction(which, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

// The kernel does not end the first process of a PID namespace by a signal that it does not handle.
void end_at_once(int which) {
    _exit(128 + which);  // as a shell puts it
}

// The first process of a PID namespace, which a container often has us be, or a subreaper.
bool adopts_orphans() {
    int subreaper = 0;
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    return getpid() == 1 || subreaper != 0;
}

}  // namespace

stop_signals::stop_signals() : hangs_up_(!is_ignored(SIGHUP)) {
    for (const int it : {SIGPIPE, SIGXFSZ}) signal(it, SIG_IGN);
    for (const int it : {SIGCHLD, SIGTERM, SIGINT}) signal(it, SIG_DFL);
    const sigset_t blocked = set_of({SIGTERM, SIGINT, SIGHUP, SIGCHLD});
    pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

void stop_signals::wait() {
    sigset_t awaited = set_of({SIGTERM, SIGINT});
    if (hangs_up_) sigaddset(&awaited, SIGHUP);
    if (adopts_orphans()) sigaddset(&awaited, SIGCHLD);
    int which = SIGCHLD;
    while (which == SIGCHLD) {
        if (sigismember(&awaited, SIGCHLD) == 1) child_table::of_this_process().reap_adopted();
        sigwait(&awaited, &which);
    }
    if (getpid() == 1) {
        for (const int it : {SIGTERM, SIGINT}) signal(it, end_at_once);
    }
    const sigset_t deadly = set_of({SIGTERM, SIGINT});
    pthread_sigmask(SIG_UNBLOCK, &deadly, nullptr);
}

}  // namespace orderproc::server
