#ifndef ORDERPROC_SERVER_OBSERVE_OPENMETRICS_HPP
#define ORDERPROC_SERVER_OBSERVE_OPENMETRICS_HPP

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace orderproc::server {

// OpenMetrics 1.0 (prometheus.io/docs/specs/om/open_metrics_spec): counters, gauges and histograms,
// a counter's family without the "_total" of its samples. Families of other types are left out.
std::string to_openmetrics(const std::vector<::prometheus::MetricFamily>& families);

}  // namespace orderproc::server

#endif
