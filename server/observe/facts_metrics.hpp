#ifndef ORDERPROC_SERVER_OBSERVE_FACTS_METRICS_HPP
#define ORDERPROC_SERVER_OBSERVE_FACTS_METRICS_HPP

// What the storage's records say of how work goes on.

#include "api/checks.hpp"

#include <prometheus/metric_family.h>

#include <vector>

namespace orderproc::server {

// orderproc_workers{state}, orderproc_in_work and orderproc_capacity (of the workers that are
// heard), orderproc_pauses and orderproc_webhooks_paused. They are the same in every process over
// the storage. Empty for a storage without records.
std::vector<::prometheus::MetricFamily> facts_metrics(const stored_facts& of, timestamp now);

}  // namespace orderproc::server

#endif
