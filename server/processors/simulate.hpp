#ifndef ORDERPROC_SERVER_PROCESSORS_SIMULATE_HPP
#define ORDERPROC_SERVER_PROCESSORS_SIMULATE_HPP

// Work that only takes time: for trying out, for demonstrations and for measuring.

#include <orderproc/processor.hpp>
#include <orderproc/runtime.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace orderproc::server {

struct simulation_options {
    std::chrono::milliseconds takes{0};
    double jitter = 0;  // of that time, up or down
    double fail = 0;    // of the attempts give up, at random…
    double retry = 0;   // …or are to be tried again
    std::string crash;  // orders whose id begins so take the process down; empty: none
    std::string event = "complete";
};

// "2s", "2s,jitter=0.5,fail=0.1,retry=0.2,crash=POISON-". errc::invalid_argument.
result<simulation_options> parse_simulation(std::string_view text);

// Ends each job after its time, on one thread of its own for any number of jobs; with no time
// at once, on the caller's. An order whose metadata has {"simulate":{"delay_ms":50,"outcome":
// "complete"|"retry"|"fail"}} gets what it says. A job that is asked to stop is left to the
// worker, which releases it.
std::unique_ptr<processor> make_simulation(simulation_options options, random_source& random);

}  // namespace orderproc::server

#endif
