#ifndef ORDERPROC_SERVER_WEBHOOKS_DELIVERY_CLIENT_HPP
#define ORDERPROC_SERVER_WEBHOOKS_DELIVERY_CLIENT_HPP

// Deliveries over HTTPS, to addresses that the guard admits.

#include "client/guarded_client.hpp"
#include "client/http_client.hpp"

#include <orderproc/observer.hpp>
#include <orderproc/webhooks.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace orderproc::server {

// What is read of an answer; more is dropped.
inline constexpr std::size_t delivery_body_max = std::size_t{64} * 1024;

struct delivery_options {
    guard_policy policy;
    guarded_means by;  // its carrier outlives the client
    std::chrono::milliseconds timeout = std::chrono::seconds(15);
};

// A client with connections of its own for each endpoint: a connection is never another endpoint's.
// All work on one thread.
// Whoever owns an endpoint learns of failures of the network that there was no answer, and no more;
// the observer is told the rest ("webhooks.delivery").
class delivery_client final : public webhook_client {
public:
    delivery_client(delivery_options options, observer& tell);
    ~delivery_client() override;

    // Whether endpoints may have this URL: errc::invalid_argument, saying what is wrong with it.
    result<void> admits_url(std::string_view url) const;

    void deliver(webhook_request what, std::stop_token stop,
                 std::function<void(webhook_response)> done) override;

    // Attempts by what came of them. Safe to read from any thread.
    struct totals {
        std::atomic<std::uint64_t> delivered{0};  // answered with 2xx
        std::atomic<std::uint64_t> refused{0};    // answered with another status
        std::atomic<std::uint64_t> unanswered{0};
    };
    const totals& attempts() const noexcept { return attempts_; }

private:
    struct peer {
        std::string url;
        http_url at;
        std::chrono::steady_clock::time_point used;
        std::unique_ptr<http_client> client;
    };
    result<peer*> peer_for(const webhook_request& what);
    void forget_idle(std::chrono::steady_clock::time_point now);

    void count(const webhook_response& it) noexcept;

    const delivery_options options_;
    observer& tell_;
    totals attempts_;
    const std::shared_ptr<client_thread> on_ = std::make_shared<client_thread>();
    std::mutex mutex_;
    std::map<std::string, peer> peers_;  // by endpoint
};

}  // namespace orderproc::server

#endif
