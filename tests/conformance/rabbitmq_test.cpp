// A real RabbitMQ against what every broker promises.

#include "../integration/rabbitmq_node.hpp"
#include "run_cases.hpp"

#include <orderproc/rabbitmq.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace {

using namespace orderproc;

// One for all cases: each has names of its own.
rabbitmq_node& node() {
    static rabbitmq_node it;
    return it;
}

class harness final : public testing::broker_harness {
public:
    std::unique_ptr<broker> open() override {
        rabbitmq_options options;
        options.url = node().url();
        options.exchange = "orderproc.test";
        options.heartbeat = std::chrono::seconds(1);
        options.timeout = std::chrono::seconds(60);
        return std::move(open_rabbitmq(std::move(options))).value();
    }
    bool cut_connections() override {
        node().tell("ctl close_all_connections cut");
        return true;
    }
    bool wipe() override {
        node().tell("wipe");
        return true;
    }
    std::chrono::milliseconds idle_time() override { return std::chrono::seconds(5); }
    std::chrono::milliseconds timeout() override { return std::chrono::minutes(3); }
};

const bool added =
    add_broker_cases([] { return std::make_unique<harness>(); }, skipped_case::error);

}  // namespace
