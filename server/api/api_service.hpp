#ifndef ORDERPROC_SERVER_API_API_SERVICE_HPP
#define ORDERPROC_SERVER_API_API_SERVICE_HPP

// The api as what the transport serves.

#include "api/api.hpp"
#include "http/service.hpp"

#include <memory>

namespace orderproc::server {

class api_service final : public http::service {
public:
    explicit api_service(api& handlers) : api_(handlers) {}  // outlives it
    std::unique_ptr<http::session> open(http::exchange& by) override;
    void work() noexcept override { api_.reads().load_waiting(); }

private:
    api& api_;
};

}  // namespace orderproc::server

#endif
