#ifndef ORDERPROC_SERVER_OBSERVE_PROCESS_METRICS_HPP
#define ORDERPROC_SERVER_OBSERVE_PROCESS_METRICS_HPP

// What the system says of this process, named as Prometheus' client libraries name it.

#include <prometheus/metric_family.h>

#include <string_view>
#include <vector>

namespace orderproc::server {

// process_start_time_seconds, process_cpu_seconds_total, process_resident_memory_bytes,
// process_open_fds and process_max_fds, of Linux' proc(5). What cannot be read is left out.
std::vector<::prometheus::MetricFamily> process_metrics();

// orderproc_storage_bytes{file="data|log"} and orderproc_storage_free_bytes of a storage in a file
// of this machine. storage: its name, storage_info::name. Empty for every other storage.
std::vector<::prometheus::MetricFamily> storage_file_metrics(std::string_view storage);

}  // namespace orderproc::server

#endif
