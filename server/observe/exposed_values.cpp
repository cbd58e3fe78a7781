#include "observe/exposed_values.hpp"

namespace orderproc::server {

using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

void exposed_values::gauge(std::string name, std::string help, value from) {
    rows_.push_back(
        {{std::move(name), std::move(help), MetricType::Gauge, {}}, {}, std::move(from)});
}

void exposed_values::counter(std::string name, std::string help, value from,
                             std::pair<std::string, std::string> label) {
    rows_.push_back({{std::move(name), std::move(help), MetricType::Counter, {}},
                     std::move(label),
                     std::move(from)});
}

std::vector<MetricFamily> exposed_values::collect() const {
    std::vector<MetricFamily> out;
    for (const row& it : rows_) {
        if (out.empty() || out.back().name != it.family.name) out.push_back(it.family);
        auto& metric = out.back().metric.emplace_back();
        if (!it.label.first.empty()) metric.label.push_back({it.label.first, it.label.second});
        (it.family.type == MetricType::Gauge ? metric.gauge.value : metric.counter.value) =
            it.from();
    }
    return out;
}

}  // namespace orderproc::server
