// Queues in memory against what every broker promises; connections are cut by a fault broker.

#include "run_cases.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/testing/fault_broker.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace {

using namespace orderproc;

// A fault broker that brings what it stands before.
class faulty_memory final : public broker {
public:
    explicit faulty_memory(std::shared_ptr<broker> inner)
        : inner_(std::move(inner)), faulty_(*inner_) {}
    broker_info info() const override { return faulty_.info(); }
    result<std::unique_ptr<publisher>> connect_publisher(const publisher_params& params) override {
        return faulty_.connect_publisher(params);
    }
    result<std::unique_ptr<consumer>> connect_consumer(const consumer_params& params) override {
        return faulty_.connect_consumer(params);
    }
    void cut() { faulty_.cut(); }

private:
    std::shared_ptr<broker> inner_;
    testing::fault_broker faulty_;
};

class harness final : public testing::broker_harness {
public:
    std::unique_ptr<broker> open() override {
        auto out = std::make_unique<faulty_memory>(kept_);
        opened_.push_back(out.get());
        return out;
    }
    bool cut_connections() override {
        for (faulty_memory* it : opened_) it->cut();
        return true;
    }
    std::chrono::milliseconds idle_time() override { return std::chrono::milliseconds(50); }

private:
    std::shared_ptr<broker> kept_ = make_memory_broker();
    std::vector<faulty_memory*> opened_;
};

const bool added = add_broker_cases([] { return std::make_unique<harness>(); });

}  // namespace
