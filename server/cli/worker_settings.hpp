#ifndef ORDERPROC_SERVER_CLI_WORKER_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_WORKER_SETTINGS_HPP

// What `serve` and `work` ask about the worker, and the worker made of the answers.

#include "cli/broker_settings.hpp"
#include "cli/settings.hpp"

#include <orderproc/work_queue_consumer.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace orderproc::server {

struct worker_settings {
    std::string processor = "simulate:2s";
    std::size_t processor_width = 0;
    std::size_t in_flight = 1024;
    std::string lease = "30s";
    std::string timeout = "5m";
    std::uint32_t attempts = 20;
    std::string retry_base = "2s";
    std::string poll_interval = "1s";
    std::string drain = "30s";

    void add_to(CLI::App& command);
    CLI::Option* processor_option = nullptr;
    CLI::Option* poll_interval_option = nullptr;
};

// A worker with its processor and, if there is a broker, what wakes it; destroyed in the right
// order.
class running_worker {
public:
    static result<std::unique_ptr<running_worker>> start(engine& orders,
                                                         const worker_settings& settings,
                                                         broker* from, const broker_names& names);
    void stop(std::chrono::milliseconds drain);

private:
    running_worker() = default;
    std::unique_ptr<processor> processor_;
    std::unique_ptr<worker> worker_;
    std::unique_ptr<work_queue_consumer> messages_;
};

}  // namespace orderproc::server

#endif
