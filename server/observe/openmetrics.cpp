#include "observe/openmetrics.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace orderproc::server {

namespace {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;

constexpr std::string_view counter_suffix = "_total";

// With a point or an exponent, so that a bucket's bound is written as a float.
void append_number(double value, std::string& out) {
    if (std::isnan(value)) {
        out.append("NaN");
    } else if (std::isinf(value)) {
        out.append(value > 0 ? "+Inf" : "-Inf");
    } else {
        std::array<char, 32> text;
        const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), value);
        const std::string_view digits(text.data(), static_cast<std::size_t>(end - text.data()));
        out.append(digits);
        if (digits.find_first_of(".e") == digits.npos) out.append(".0");
    }
}

void append_escaped(std::string_view text, std::string& out) {
    for (const char c : text) {
        if (c == '\n') {
            out.append("\\n");
            continue;
        }
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
}

// name{label="…",le="…"} with a space behind.
void append_sample(std::string_view name, const ClientMetric& of, const double* bound,
                   std::string& out) {
    out.append(name);
    char before = '{';
    for (const auto& it : of.label) {
        out.append(1, before).append(it.name).append("=\"");
        append_escaped(it.value, out);
        out.append(1, '"');
        before = ',';
    }
    if (bound) {
        out.append(1, before).append("le=\"");
        append_number(*bound, out);
        out.append(1, '"');
        before = ',';
    }
    if (before == ',') out.append(1, '}');
    out.append(1, ' ');
}

void append_histogram(const std::string& name, const ClientMetric& of, std::string& out) {
    for (const auto& it : of.histogram.bucket) {
        append_sample(name + "_bucket", of, &it.upper_bound, out);
        out.append(std::to_string(it.cumulative_count)).append(1, '\n');
    }
    append_sample(name + "_count", of, nullptr, out);
    out.append(std::to_string(of.histogram.sample_count)).append(1, '\n');
    append_sample(name + "_sum", of, nullptr, out);
    append_number(of.histogram.sample_sum, out);
    out.append(1, '\n');
}

void append_family(const MetricFamily& it, std::string& out) {
    const bool counter = it.type == MetricType::Counter;
    const bool histogram = it.type == MetricType::Histogram;
    if (!counter && !histogram && it.type != MetricType::Gauge) return;
    std::string name = it.name;
    if (counter && name.ends_with(counter_suffix)) name.resize(name.size() - counter_suffix.size());
    out.append("# TYPE ").append(name).append(counter     ? " counter\n"
                                              : histogram ? " histogram\n"
                                                          : " gauge\n");
    if (!it.help.empty()) {
        out.append("# HELP ").append(name).append(1, ' ');
        append_escaped(it.help, out);
        out.append(1, '\n');
    }
    if (counter) name.append(counter_suffix);
    for (const ClientMetric& one : it.metric) {
        if (histogram) {
            append_histogram(name, one, out);
            continue;
        }
        append_sample(name, one, nullptr, out);
        append_number(counter ? one.counter.value : one.gauge.value, out);
        out.append(1, '\n');
    }
}

}  // namespace

std::string to_openmetrics(const std::vector<MetricFamily>& families) {
    std::string out;
    for (const MetricFamily& it : families) append_family(it, out);
    return out.append("# EOF\n");
}

}  // namespace orderproc::server
