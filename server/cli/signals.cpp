#include "cli/signals.hpp"

#include <signal.h>

namespace orderproc::server {

namespace {

sigset_t stopping() {
    sigset_t out;
    sigemptyset(&out);
    sigaddset(&out, SIGTERM);
    sigaddset(&out, SIGINT);
    return out;
}

}  // namespace

stop_signals::stop_signals() {
    signal(SIGPIPE, SIG_IGN);
    const sigset_t set = stopping();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void stop_signals::wait() {
    const sigset_t set = stopping();
    int which = 0;
    sigwait(&set, &which);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace orderproc::server
