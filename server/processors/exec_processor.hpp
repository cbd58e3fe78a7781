#ifndef ORDERPROC_SERVER_PROCESSORS_EXEC_PROCESSOR_HPP
#define ORDERPROC_SERVER_PROCESSORS_EXEC_PROCESSOR_HPP

// Work that a program does, one process an order.

#include <orderproc/order_model.hpp>
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
    const order_model* model = &order_model::standard();  // of the orders; outlives the processor
    std::size_t processes_max = 16;
    // What a process that is asked to stop (SIGTERM) may take before it is killed.
    std::chrono::milliseconds grace = std::chrono::seconds(5);
};

// Runs the program with the order as JSON on its standard input. Exit code 0 raises the event; 75
// (EX_TEMPFAIL, sysexits.h), death by a signal and an exit code that is lost are retried; any
// other gives up. The first line of its standard error is the reason. Its standard output is
// dropped.
//
// The program has no open files but these three, signals as they are by default, and our
// environment as it was when the processor was made, without the variables ORDERPROC_… and with
// ORDERPROC_ORDER_ID, ORDERPROC_STAGE, ORDERPROC_ATTEMPT, ORDERPROC_IDEMPOTENCY_KEY and, if there
// is one, TRACEPARENT. It leads a process group of its own: what it starts is told to stop, and
// killed, together with it. The kernel kills it if we die.
//
// capacity() is the number of processes that may run beside those that are still being stopped.
//
// errc::invalid_argument: no command, or find_program() does not find the program.
result<std::unique_ptr<processor>> make_exec_processor(exec_options options);

}  // namespace orderproc::server

#endif
