#ifndef ORDERPROC_SERVER_OBSERVE_REQUEST_WATCH_HPP
#define ORDERPROC_SERVER_OBSERVE_REQUEST_WATCH_HPP

// Requests as metrics, and as lines of the log.

#include "observe/observed_service.hpp"

#include <orderproc/log.hpp>

#include <memory>

namespace prometheus {
class Registry;
}

namespace orderproc::server {

// http_server_request_duration_seconds{http_request_method, http_route,
// http_response_status_code}, as OpenTelemetry's semantic conventions name them, and
// orderproc_requests_shed_total{reason}: what the transport refused because it was too much.
class request_metrics final : public request_observer {
public:
    explicit request_metrics(::prometheus::Registry& in);  // outlives it
    ~request_metrics();
    void answered(const request_report& it) noexcept override;
    void turned_away() noexcept override;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

// One record for each request, at debug.
class request_log final : public request_observer {
public:
    explicit request_log(log_sink to) : to_(std::move(to)) {}
    void answered(const request_report& it) noexcept override;

private:
    const log_sink to_;
};

}  // namespace orderproc::server

#endif
