#ifndef ORDERPROC_SERVER_OBSERVE_OBSERVED_SERVICE_HPP
#define ORDERPROC_SERVER_OBSERVE_OBSERVED_SERVICE_HPP

// A service whose answers somebody is told of.

#include "http/service.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

struct request_report {
    const http::request& in;
    std::string_view route;  // "/orders/{order_id}"; empty: none that we have
    unsigned status = 0;
    std::size_t body_size = 0;
    std::chrono::nanoseconds duration{0};  // from the whole request to the whole answer
    bool refused = false;                  // by the transport, and not by the service
};

// Told on the connection's thread; must not block or throw.
class request_observer {
public:
    virtual void answered(const request_report& it) noexcept = 0;
    virtual void turned_away() noexcept {}  // a client that is one too many

protected:
    ~request_observer() = default;
};

class observed_service final : public http::service {
public:
    // All outlive it.
    observed_service(http::service& inner, std::vector<request_observer*> watch)
        : inner_(inner), watch_(std::move(watch)) {}

    std::unique_ptr<http::session> open(http::exchange& by) override;
    void work() noexcept override { inner_.work(); }
    void turned_away(http::response& out) const override;

    std::size_t connections() const noexcept { return connections_; }
    // Requests that came whole and are not answered yet.
    std::size_t in_flight() const noexcept { return in_flight_; }

private:
    class observed_session;
    void tell(const request_report& it) const noexcept;

    http::service& inner_;
    const std::vector<request_observer*> watch_;
    std::atomic<std::size_t> connections_{0};
    std::atomic<std::size_t> in_flight_{0};
};

}  // namespace orderproc::server

#endif
