#ifndef ORDERPROC_SERVER_CLI_WORKER_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_WORKER_SETTINGS_HPP

// What `serve` and `work` ask about the worker, and the worker made of the answers.

#include "attempts/attempt_tokens.hpp"
#include "cli/broker_settings.hpp"
#include "cli/outgoing_settings.hpp"
#include "cli/settings.hpp"
#include "cli/stage_processor.hpp"
#include "processors/http_processor.hpp"

#include <orderproc/work_queue_consumer.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace orderproc::server {

struct worker_settings {
    std::vector<std::string> processors;  // none: simulated_work for every stage
    std::size_t processor_width = 0;
    std::size_t in_flight = 1024;
    std::string lease = "30s";
    std::string timeout = "5m";
    std::uint32_t attempts = 20;
    std::string async_timeout = "1h";
    std::string retry_base = "2s";
    std::string poll_interval = "1s";
    std::string drain = "30s";

    void add_to(CLI::App& command);
    result<retry_policy> retries() const;
    result<std::chrono::milliseconds> parsed_lease() const;
    CLI::Option* poll_interval_option = nullptr;
};

// The workers of the stages that have a processor. All that is passed to start() outlives them.
class running_workers {
public:
    static result<std::unique_ptr<running_workers>> start(engine& orders,
                                                          const worker_settings& settings,
                                                          outgoing_calls& calls,
                                                          const attempt_tokens* tokens,
                                                          broker* from, const broker_names& names);
    void stop(std::chrono::milliseconds drain);

private:
    // A worker with its processor and, if there is a broker, what wakes it; destroyed in the right
    // order.
    struct of_stage {
        std::unique_ptr<processor> work;
        std::unique_ptr<worker> by;
        std::unique_ptr<work_queue_consumer> messages;
    };

    running_workers() = default;
    // What is the same for all stages.
    struct shared_settings {
        const worker_settings& settings;
        worker_options how;
        outgoing_calls& calls;
        handed_over_work later;
    };
    result<void> add(engine& orders, const stage_processor& what, const shared_settings& with,
                     broker* from, const broker_names& names);

    std::vector<of_stage> stages_;
};

}  // namespace orderproc::server

#endif
