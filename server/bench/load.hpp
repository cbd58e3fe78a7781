#ifndef ORDERPROC_SERVER_BENCH_LOAD_HPP
#define ORDERPROC_SERVER_BENCH_LOAD_HPP

// An HTTP/1.1 load generator: keep-alive connections, each with one request under way, every
// latency kept so that percentiles are exact. The loop is closed: a connection asks again when it
// was answered; or, with a rate, open: requests fall due whether or not the server keeps up.

#include <orderproc/error.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace orderproc::server {

// Where "{id}" stands in target or body an order id is put: a new one for each request, or one
// of those that an earlier load with the same id_seed made. Where "{user}" stands in the body, the
// numbers from 1 to 100 are put in turn.
struct load_options {
    std::string host = "127.0.0.1";  // loopback only
    std::uint16_t port = 8000;
    std::size_t connections = 64;
    std::string method = "GET";
    std::string target = "/healthz";
    std::string body;
    std::string token;  // sent as Authorization: Bearer; empty: none
    std::uint64_t id_seed = 1;
    std::uint64_t ids_known = 0;  // draw from the first so many; 0: new ones
    // Requests a second; each waits for a connection that is free, which its latency includes.
    // 0: as many as the connections make.
    double rate = 0;
    std::uint64_t requests = 0;                        // 0: until duration has passed
    std::chrono::milliseconds duration{5000};          // with requests: at most this
    std::function<void(std::uint64_t done)> progress;  // about once a second
};

struct load_result {
    std::uint64_t succeeded = 0;  // 2xx
    std::uint64_t refused = 0;    // any other answer
    std::uint64_t broken = 0;     // connections that failed under a request
    std::chrono::nanoseconds elapsed{0};
    std::vector<std::uint32_t> latencies_us;  // ascending; of all answers
    std::vector<std::uint32_t> accepted_us;   // the same of those that succeeded
    std::string first_refusal;                // the start of that answer

    double per_second() const;
    std::uint32_t percentile(double fraction) const;  // microseconds; 0 if there are none
};

// Of ascending values; 0 if there are none.
std::uint32_t percentile_of(const std::vector<std::uint32_t>& ascending, double fraction);

// The id that the number-th request of a seed uses: random to a database, never twice.
std::string load_order_id(std::uint64_t seed, std::uint64_t number);

// errc::invalid_argument: not a loopback address; errc::unavailable: nobody listens.
result<load_result> run_load(const load_options& options);

}  // namespace orderproc::server

#endif
