#ifndef ORDERPROC_SERVER_OBSERVE_OBSERVED_SERVICE_HPP
#define ORDERPROC_SERVER_OBSERVE_OBSERVED_SERVICE_HPP

// A service whose answers somebody is told of.

#include "http/service.hpp"

#include <chrono>
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
};

// Told on the connection's thread; must not block or throw.
class request_observer {
public:
    virtual void answered(const request_report& it) noexcept = 0;

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
    void turned_away(http::response& out) const override { inner_.turned_away(out); }
    void tell(const request_report& it) const noexcept;

private:
    http::service& inner_;
    const std::vector<request_observer*> watch_;
};

}  // namespace orderproc::server

#endif
