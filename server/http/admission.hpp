#ifndef ORDERPROC_SERVER_HTTP_ADMISSION_HPP
#define ORDERPROC_SERVER_HTTP_ADMISSION_HPP

// Which requests are let in. Judged by the header: who is refused has sent no body yet.

#include "http/client_address.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"
#include "http/rate_limiter.hpp"
#include "http/site_guard.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace orderproc::server::http {

struct admission_options {
    std::size_t requests_in_flight_max = 1024;  // from the header to the answer
    // What the bodies under way may come to, together. Those of up to 16 KiB do not count:
    // they are bounded by the connections.
    std::size_t bodies_size_max = 64 * 1024 * 1024;
    std::optional<rate> limit;        // for each client; none: no limit
    std::optional<rate> bound_limit;  // for each principal that is bound, in place of that
    address_ranges trusted_proxies;   // whose X-Forwarded-For says who the client is
    std::optional<site_rules> sites;  // none: whatever page asks
    // All may be called from any thread, and must not throw.
    std::function<bool(const request&)> unlimited;   // not subject to the rate; none: all are
    std::function<bool(const request&)> overloaded;  // would have to wait too long
};

// Safe to use from any thread.
class admission {
public:
    // One request that was asked for. Lets go of what it holds when it ends.
    class ticket {
    public:
        ticket() = default;
        ticket(const ticket&) = delete;
        ticket& operator=(const ticket&) = delete;
        ~ticket() { release(); }

        // The request is answered: takes the rest of what it cost, and adds what the answer says
        // of limits.
        void close(response& out);
        void release() noexcept;

    private:
        friend class admission;
        admission* of_ = nullptr;  // while it counts
        std::size_t body_size_ = 0;
        rate_limiter* limiter_ = nullptr;  // there is a rate limit
        rate_verdict rate_;
        std::uint32_t retry_after_s_ = 0;
    };

    // seed: see rate_limiter.
    admission(admission_options options, std::uint64_t seed);

    struct refusal {
        const problem_kind* kind = nullptr;  // none: it is let in
        std::string_view detail = {};
    };
    // Whether the page that asks may: before anybody asks who it is.
    refusal judge(const request& in, const boost::asio::ip::address& peer) const noexcept;
    // Whether the client asks too often: by its principal, or else by its address. REQUIRES: the
    // ticket is closed.
    refusal limit(const request& in, const boost::asio::ip::address& peer, ticket& to) noexcept;
    // Whether there is room. body_size: what its body may come to. REQUIRES: after limit().
    refusal admit(const request& in, std::size_t body_size, ticket& to) noexcept;

    bool trusts(const boost::asio::ip::address& peer) const noexcept {
        return contains(options_.trusted_proxies, bytes_of(peer));
    }
    std::size_t in_flight() const noexcept { return in_flight_; }
    std::size_t bodies_size() const noexcept { return bodies_size_; }

private:
    bool within_rate(const request& in, const boost::asio::ip::address& peer, rate_limiter& by,
                     ticket& to) noexcept;

    const admission_options options_;
    std::unique_ptr<rate_limiter> limiter_;
    std::unique_ptr<rate_limiter> bound_limiter_;
    std::optional<site_guard> guard_;
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<std::size_t> bodies_size_{0};
};

}  // namespace orderproc::server::http

#endif
