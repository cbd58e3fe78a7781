#ifndef ORDERPROC_SERVER_PROCESSORS_CHILD_PROCESS_HPP
#define ORDERPROC_SERVER_PROCESSORS_CHILD_PROCESS_HPP

// One process: fed, listened to, and waited for without blocking. Linux: pidfd_open(2).

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orderproc::server {

struct child_end {
    int code = 0;            // of exit
    int signal = 0;          // that killed it; 0: it exited
    std::string first_line;  // of its standard error, cut off
    std::string trouble;     // it could not be started; else empty
};

// Used on the thread of its io_context, which outlives it.
class child_process {
public:
    explicit child_process(boost::asio::io_context& on);
    ~child_process();

    // Runs the command with these variables beside our own, and calls done once it has ended:
    // later, from the io_context. Once only.
    void run(const std::vector<std::string>& command, const std::vector<std::string>& variables,
             std::string input, std::function<void(const child_end&)> done);
    void stop(std::chrono::milliseconds grace);  // SIGTERM to its group, after the grace SIGKILL
    void kill();

private:
    class impl;
    std::shared_ptr<impl> impl_;  // operations under way hold it, too
};

}  // namespace orderproc::server

#endif
