#ifndef ORDERPROC_SERVER_CLI_SIGNALS_HPP
#define ORDERPROC_SERVER_CLI_SIGNALS_HPP

// The signals of a long-lived process, taken by its main thread alone.

namespace orderproc::server {

// To be made before any other thread is, so that all of them leave the signals alone. Whatever
// was inherited, SIGCHLD gets its default action (a process that ignores it loses the exit codes
// of its children), SIGPIPE and SIGXFSZ are ignored (sockets and files report an error), and
// SIGTERM, SIGINT and SIGHUP stop the process; but SIGHUP remains ignored if it was, as by nohup.
class stop_signals {
public:
    stop_signals();

    // Returns at the first signal that stops the process. From then on a second SIGTERM or SIGINT
    // ends it at once. A second SIGHUP does nothing: terminals and service managers send it along
    // with others. Reaps orphans meanwhile if this process is their parent by system rule.
    void wait();

private:
    bool hangs_up_ = true;
};

}  // namespace orderproc::server

#endif
