#ifndef ORDERPROC_SERVER_CLI_SIGNALS_HPP
#define ORDERPROC_SERVER_CLI_SIGNALS_HPP

// Ctrl-C and SIGTERM, taken by the main thread alone.

namespace orderproc::server {

// Made before any other thread is, so that all of them leave the signals alone. SIGPIPE is
// ignored: sockets and pipes report it as an error.
class stop_signals {
public:
    stop_signals();

    // Returns at the first signal. From then on a second one ends the process at once.
    void wait();
};

}  // namespace orderproc::server

#endif
