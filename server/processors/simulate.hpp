#ifndef ORDERPROC_SERVER_PROCESSORS_SIMULATE_HPP
#define ORDERPROC_SERVER_PROCESSORS_SIMULATE_HPP

// Work that only takes time: for trying out and for measuring.

#include <orderproc/processor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace orderproc::server {

// Finishes each job with the event after that long, on one thread of its own for any number
// of jobs; with no delay at once, on the caller's. A job that is asked to stop is left to the
// worker, which releases it.
std::unique_ptr<processor> make_simulation(std::chrono::milliseconds takes, std::string event);

}  // namespace orderproc::server

#endif
