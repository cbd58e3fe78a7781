#include "observe/request_watch.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace orderproc::server {

namespace {

using ::prometheus::Histogram;

const Histogram::BucketBoundaries durations{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                            0.1,    0.25,  0.5,    1,     2.5,  5,     10};

// A method that nobody knows must not make a metric of its own.
constexpr std::array<std::string_view, 8> methods{"GET",   "HEAD",   "POST",    "PUT",
                                                  "PATCH", "DELETE", "OPTIONS", "_OTHER"};

std::size_t index_of(std::string_view method) noexcept {
    const auto found = std::find(methods.begin(), methods.end() - 1, method);
    return static_cast<std::size_t>(found - methods.begin());
}

}  // namespace

class request_metrics::impl {
public:
    explicit impl(::prometheus::Registry& in)
        : family_(::prometheus::BuildHistogram()
                      .Name("http_server_request_duration_seconds")
                      .Help("From the whole request to the whole answer")
                      .Register(in)) {
        auto& shed = ::prometheus::BuildCounter()
                         .Name("orderproc_requests_shed_total")
                         .Help("Requests and connections that were refused because of too many")
                         .Register(in);
        overloaded = &shed.Add({{"reason", "overloaded"}});
        rate_limited = &shed.Add({{"reason", "rate_limited"}});
        connections = &shed.Add({{"reason", "connections"}});
    }

    Histogram& find(std::string_view method, std::string_view route, unsigned status) {
        const key it{index_of(method), route.data(), status};
        const std::lock_guard lock(mutex_);
        auto& found = known_[it];
        if (!found) {
            found = &family_.Add({{"http_request_method", std::string(methods[std::get<0>(it)])},
                                  {"http_route", std::string(route)},
                                  {"http_response_status_code", std::to_string(status)}},
                                 durations);
        }
        return *found;
    }

    ::prometheus::Counter* overloaded;    // 503
    ::prometheus::Counter* rate_limited;  // 429
    ::prometheus::Counter* connections;   // got no session

private:
    // Routes are literals of one table: their address is their name.
    using key = std::tuple<std::size_t, const char*, unsigned>;

    ::prometheus::Family<Histogram>& family_;
    std::mutex mutex_;
    std::map<key, Histogram*> known_;
};

request_metrics::request_metrics(::prometheus::Registry& in) : impl_(std::make_unique<impl>(in)) {}

request_metrics::~request_metrics() = default;

void request_metrics::answered(const request_report& it) noexcept {
    if (it.refused && it.status == 503) impl_->overloaded->Increment();
    if (it.refused && it.status == 429) impl_->rate_limited->Increment();
    try {
        impl_->find(it.in.method, it.route, it.status)
            .Observe(std::chrono::duration<double>(it.duration).count());
    } catch (...) {  // out of memory: this one is not counted
    }
}

void request_metrics::turned_away() noexcept {
    impl_->connections->Increment();
}

void request_log::answered(const request_report& it) noexcept {
    using std::chrono::duration_cast;
    using std::chrono::microseconds;
    const std::array<log_field, 8> fields{
        {{"method", it.in.method},
         {"path", it.in.path},
         {"route", it.route},
         {"status", std::int64_t{it.status}},
         {"duration_us", std::int64_t{duration_cast<microseconds>(it.duration).count()}},
         {"body_size", static_cast<std::int64_t>(it.body_size)},
         {"request_id", it.in.id},
         {"traceparent", it.in.find("traceparent")}}};
    try {
        to_({log_level::debug, "request", fields});
    } catch (...) {  // there is nobody left to tell
    }
}

}  // namespace orderproc::server
