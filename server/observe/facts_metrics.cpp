#include "observe/facts_metrics.hpp"

#include <array>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

MetricFamily gauge_of(const char* name, const char* help, double value) {
    MetricFamily out{name, help, MetricType::Gauge, {}};
    out.metric.emplace_back().gauge.value = value;
    return out;
}

}  // namespace

std::vector<MetricFamily> facts_metrics(const stored_facts& of, timestamp now) {
    std::vector<MetricFamily> out;
    if (!of.has_records) return out;
    constexpr std::array states{worker_state::working, worker_state::draining, worker_state::silent,
                                worker_state::gone};
    std::array<std::size_t, states.size()> counts{};
    std::uint64_t in_work = 0;
    std::uint64_t capacity = 0;
    for (const worker_record& it : of.workers) {
        const worker_state state = state_of(it, now);
        ++counts[static_cast<std::size_t>(state)];
        if (state == worker_state::working || state == worker_state::draining)
            in_work += it.in_work;
        if (state == worker_state::working) capacity += it.capacity;
    }
    MetricFamily workers{
        "orderproc_workers", "Workers of the storage by state", MetricType::Gauge, {}};
    for (const worker_state state : states) {
        auto& metric = workers.metric.emplace_back();
        metric.label.push_back({"state", std::string(name_of(state))});
        metric.gauge.value = static_cast<double>(counts[static_cast<std::size_t>(state)]);
    }
    out.push_back(std::move(workers));
    out.push_back(gauge_of("orderproc_in_work", "Orders that the workers that are heard work on",
                           static_cast<double>(in_work)));
    out.push_back(gauge_of("orderproc_capacity",
                           "Orders that the workers that take orders would work on at most",
                           static_cast<double>(capacity)));
    out.push_back(gauge_of("orderproc_pauses", "Pauses of work that are active",
                           static_cast<double>(of.pauses.size())));
    out.push_back(gauge_of("orderproc_webhooks_paused", "Webhook endpoints that are paused",
                           static_cast<double>(of.paused_endpoints.size())));
    return out;
}

}  // namespace orderproc::server
