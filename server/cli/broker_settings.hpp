#ifndef ORDERPROC_SERVER_CLI_BROKER_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_BROKER_SETTINGS_HPP

// What `serve` and `work` ask about the broker, and what is made of the answers.

#include "cli/settings.hpp"

#include <orderproc/queue.hpp>
#include <orderproc/relay.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace orderproc::server {

// What this installation calls its things in the broker.
struct broker_names {
    std::string prefix, exchange, work, poison;

    // The queue of a stage: `work` if the machine has no other, else one of its own.
    std::string work_of(order_status active, const status_machine& machine) const;
};

class broker_settings {
public:
    void add_to(CLI::App& command);
    // To be called when the command line and the environment are read, and no file yet.
    void command_line_read();

    // None if there is to be none. errc::invalid_argument: no such broker, a prefix that makes no
    // names, or a password where all users of the machine can read it.
    result<std::unique_ptr<broker>> open() const;
    broker_names names() const;

private:
    std::string url_ = "none";
    std::string file_;
    std::string ca_file_;
    std::string prefix_ = "orderproc";
    CLI::Option* option_ = nullptr;
    bool in_sight_ = false;  // the url is an argument of the process
};

struct relay_settings {
    broker_names names;
    std::string event_source;                      // see append_cloud_event()
    std::chrono::milliseconds max_publish_lag{0};  // see relay_options
};

// Publishes the journal of an engine, if there is a broker.
class running_relay {
public:
    // nullptr without a broker.
    static result<std::unique_ptr<running_relay>> start(engine& orders, reader& journal, broker* to,
                                                        relay_settings settings);
    void stop(std::chrono::milliseconds drain) { relay_->stop(drain); }

private:
    running_relay() = default;
    std::unique_ptr<relay> relay_;
};

}  // namespace orderproc::server

#endif
