#ifndef ORDERPROC_SERVER_HTTP_RATE_LIMITER_HPP
#define ORDERPROC_SERVER_HTTP_RATE_LIMITER_HPP

// Who asks how often: a token bucket for each client.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::http {

// So many requests a second in the long run, and burst at once.
// REQUIRES: 0.001 <= per_second <= 1,000,000; 1 <= burst <= 1,000,000.
struct rate {
    double per_second = 0;
    std::uint32_t burst = 0;
};

// What became of one request, as the fields of draft-ietf-httpapi-ratelimit-headers say it.
struct rate_verdict {
    bool admitted = true;
    std::uint32_t remaining = 0;      // requests that would be admitted now
    std::uint32_t full_after_s = 0;   // until the bucket is full again, rounded up
    std::uint32_t retry_after_s = 0;  // when refused: until one is admitted; at least 1
    std::uint64_t client = 0;         // for charge()
};

// Keeps one number for each client (GCRA, ITU-T I.371), in a table of fixed size: when its place
// there is crowded, who has used least is forgotten, which is to that client's advantage alone.
// Safe to use from any thread.
class rate_limiter {
public:
    using clock = std::chrono::steady_clock;

    // seed: unknown to clients, so that nobody can choose whose place is crowded.
    rate_limiter(const rate& most, std::uint64_t seed, std::size_t clients_max = 64 * 1024);

    // Takes one token of the client's, if there is one.
    rate_verdict take(std::string_view client, clock::time_point now) noexcept;

    // Whether take() would find one now.
    bool has_token(std::string_view client, clock::time_point now) noexcept;

    // Takes more tokens of a client that was admitted, for a request that turned out to be larger.
    // What the bucket does not hold is owed: later requests wait until it is made up for.
    rate_verdict charge(std::uint64_t client, std::uint32_t tokens, clock::time_point now) noexcept;

    // "default";q=<burst>;w=<seconds that fill an empty bucket>
    const std::string& policy() const noexcept { return policy_; }

private:
    struct bucket {
        std::uint64_t client = 0;  // a hash; 0: free
        std::int64_t full_at = 0;  // nanoseconds of the clock
    };
    static constexpr std::size_t ways = 8;  // places that a client may have

    bucket& find(std::uint64_t client) noexcept;
    void tell(std::int64_t owed, rate_verdict& out) const noexcept;

    const std::int64_t interval_;  // nanoseconds that one token takes
    const std::int64_t depth_;     // that all of them take
    const std::uint64_t seed_;
    const std::string policy_;
    std::mutex mutex_;
    std::vector<bucket> buckets_;
};

}  // namespace orderproc::server::http

#endif
