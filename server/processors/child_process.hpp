#ifndef ORDERPROC_SERVER_PROCESSORS_CHILD_PROCESS_HPP
#define ORDERPROC_SERVER_PROCESSORS_CHILD_PROCESS_HPP

// One process: fed, listened to, and waited for without blocking. Linux: pidfd_open(2).

#include "processors/children.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace orderproc::server {

struct child_end {
    int code = 0;            // of exit
    int signal = 0;          // that killed it; 0: it exited
    std::string first_line;  // of its standard error, cut off
    std::string error;       // it could not be started, or nobody knows how it ended; else empty
};

// Used on the thread of its io_context, which outlives it.
class child_process {
public:
    explicit child_process(boost::asio::io_context& on);
    ~child_process();

    // Starts the program and calls done once it has ended: later, from the io_context. Once only.
    void run(const child_command& what, std::string input,
             std::function<void(const child_end&)> done);
    void stop(std::chrono::milliseconds grace);  // SIGTERM to its group, after the grace SIGKILL
    void kill();                                 // its group, at once

private:
    class impl;
    std::shared_ptr<impl> impl_;  // operations under way hold it, too
};

}  // namespace orderproc::server

#endif
