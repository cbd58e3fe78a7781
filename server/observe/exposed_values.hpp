#ifndef ORDERPROC_SERVER_OBSERVE_EXPOSED_VALUES_HPP
#define ORDERPROC_SERVER_OBSERVE_EXPOSED_VALUES_HPP

// Numbers that parts of the server keep anyway, asked for at each scrape.

#include <prometheus/metric_family.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

// Values are added before the first scrape, on one thread. collect() may then be called from any
// thread. The functions must not block or throw, and what they look at outlives the last scrape.
class exposed_values {
public:
    using value = std::function<double()>;

    void gauge(std::string name, std::string help, value from);
    // A total of this process. Those of one name are added one after the other, each with another
    // value of the label.
    void counter(std::string name, std::string help, value from,
                 std::pair<std::string, std::string> label = {});

    std::vector<::prometheus::MetricFamily> collect() const;

private:
    struct row {
        ::prometheus::MetricFamily family;  // without values
        std::pair<std::string, std::string> label;
        value from;
    };
    std::vector<row> rows_;
};

}  // namespace orderproc::server

#endif
