#include "cli/broker_settings.hpp"

#include "cli/refusal.hpp"
#include "cli/secret_url.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/work_queue_consumer.hpp>
#ifdef ORDERPROC_WITH_RABBITMQ
#include <orderproc/rabbitmq.hpp>
#endif

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

// So that a name is one word of a topic and of no other meaning to a broker.
bool is_prefix(std::string_view text) {
    constexpr std::size_t size_max = 64;
    const auto ok = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    };
    return !text.empty() && text.size() <= size_max && std::all_of(text.begin(), text.end(), ok) &&
           text.front() != '.' && text.back() != '.' && !text.starts_with("amq.");
}

// Failures never quote a URL's password. ca_file: who vouches for the broker; empty: whom this
// machine trusts.
result<std::unique_ptr<broker>> open_broker(const std::string& url,
                                            [[maybe_unused]] const std::string& ca_file,
                                            [[maybe_unused]] const broker_names& names) {
    if (url == "none") return std::unique_ptr<broker>();
    if (url == "memory:") return make_memory_broker();
    if (url.starts_with("amqp:") || url.starts_with("amqps:")) {
#ifdef ORDERPROC_WITH_RABBITMQ
        rabbitmq_options options;
        options.url = url;
        options.ca_file = ca_file;
        options.exchange = names.exchange;
        options.connection_name = names.prefix;
        return open_rabbitmq(std::move(options));
#else
        return failure{errc::invalid_argument, "this orderproc was built without RabbitMQ"};
#endif
    }
    return failure{errc::invalid_argument,
                   "unknown broker: expected none, memory:, amqp://HOST or amqps://HOST"};
}

}  // namespace

void broker_settings::add_to(CLI::App& command) {
    option_ = add_setting(command, "broker", url_,
                          "none, amqp://HOST[:PORT][/VHOST], amqps://… or memory: (this process). "
                          "With a password: from the environment or --broker-file only");
    add_setting(command, "broker-file", file_, "A file whose first line is the URL for --broker");
    add_setting(command, "broker-ca", ca_file_,
                "PEM file of who vouches for an amqps:// broker; empty: whom this machine trusts");
    add_setting(command, "broker-prefix", prefix_,
                "Begins the names of the exchange and queues, so that several installations can "
                "share a broker");
}

void broker_settings::command_line_read() {
    const char* environment = std::getenv("ORDERPROC_BROKER");
    in_sight_ = option_->count() > 0 && (!environment || url_ != environment);
}

result<std::unique_ptr<broker>> broker_settings::open() const {
    if (in_sight_ && has_password(url_)) {
        return failure{errc::invalid_argument,
                       "a password on the command line is there for all to see: put the URL into "
                       "ORDERPROC_BROKER or into a file for --broker-file"};
    }
    if (!file_.empty() && url_ != "none") {
        return failure{errc::invalid_argument, "--broker and --broker-file: one of them"};
    }
    const char* const option = file_.empty() ? "--broker" : "--broker-file";
    const result<std::string> url =
        file_.empty() ? result<std::string>(url_) : of_option(option, read_url(file_, "broker"));
    if (!url) return url.error();
    if (!ca_file_.empty() && url->starts_with("amqp://")) {
        return failure{errc::invalid_argument, "--broker-ca is for amqps:// brokers"};
    }
    if (!is_prefix(prefix_)) {
        return failure{errc::invalid_argument,
                       "--broker-prefix: \"" + prefix_ +
                           "\" is not 1 to 64 letters, digits, dots, hyphens or underscores, "
                           "without a dot at either end, and not beginning with amq."};
    }
    return of_option(option, open_broker(*url, ca_file_, names()));
}

std::string broker_names::work_of(order_status active, const status_machine& machine) const {
    if (machine.stages().size() < 2) return work;
    return work + "." + std::string(active.view());
}

broker_names broker_settings::names() const {
    return {prefix_, prefix_ + ".events", prefix_ + ".work", prefix_ + ".poison"};
}

result<std::unique_ptr<running_relay>> running_relay::start(engine& orders, reader& journal,
                                                            broker* to, relay_settings settings) {
    std::unique_ptr<running_relay> out;
    if (!to) return out;
    out.reset(new running_relay);
    relay_options options;
    auto format = cloud_events_of(std::move(settings.event_source), orders.model());
    if (!format) return std::move(format).error();
    options.format = std::move(*format);
    const status_machine& machine = orders.machine();
    for (const work_stage& it : machine.stages()) {
        options.queues.push_back(
            work_queue(machine, it.active, settings.names.work_of(it.active, machine)));
    }
    options.poison_queue = settings.names.poison;
    options.max_publish_lag = settings.max_publish_lag;
    out->relay_ = std::make_unique<relay>(orders, journal, *to, std::move(options));
    if (auto started = out->relay_->start(); !started) return started.error();
    return out;
}

}  // namespace orderproc::server
