#ifndef ORDERPROC_SERVER_PROCESSORS_EXEC_PROCESSOR_HPP
#define ORDERPROC_SERVER_PROCESSORS_EXEC_PROCESSOR_HPP

// Work that a program does, one process an order.

#include <orderproc/processor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace orderproc::server {

struct exec_options {
    std::vector<std::string> command;  // the program, looked for in PATH, and its arguments
    std::string event = "complete";
    std::size_t processes_max = 16;
    // What a process that is asked to stop (SIGTERM) may take before it is killed.
    std::chrono::milliseconds grace = std::chrono::seconds(5);
};

// Runs the program with the order as JSON on its standard input, and in its environment
// ORDERPROC_ORDER_ID, ORDERPROC_STAGE, ORDERPROC_ATTEMPT, ORDERPROC_IDEMPOTENCY_KEY and, if there
// is one, TRACEPARENT. Exit code 0 raises the event, 75 (EX_TEMPFAIL, sysexits.h) and death by a
// signal are to be tried again, any other gives up; the first line of its standard error is the
// reason. Its standard output is dropped. It leads a process group of its own, which is told to
// stop as a whole.
//
// errc::invalid_argument: no command.
result<std::unique_ptr<processor>> make_exec_processor(exec_options options);

}  // namespace orderproc::server

#endif
