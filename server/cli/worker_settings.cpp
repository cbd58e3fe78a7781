#include "cli/worker_settings.hpp"

#include "cli/refusal.hpp"
#include "cli/values.hpp"

#include <algorithm>
#include <utility>

namespace orderproc::server {

namespace {

// Messages tell of most work; this is for what they do not reach.
constexpr std::chrono::seconds poll_interval_beside_messages(5);

// What workers take at least.
constexpr std::chrono::milliseconds lease_min(100);
constexpr std::chrono::milliseconds time_min(1);

}  // namespace

void worker_settings::add_to(CLI::App& command) {
    processor_option = add_setting(
        command, "processor", processor,
        "What is done with an order: simulate:DURATION[,fail=P][,retry=P][,jitter=P][,crash=ID], "
        "exec:PROGRAM or http://HOST/PATH");
    add_setting(command, "processor-width", processor_width,
                "Processes of exec: (0: 16) or connections of http: (0: 64)")
        ->check(CLI::Range(0, 100'000));
    add_setting(command, "in-flight", in_flight, "Orders worked on at a time")
        ->check(CLI::Range(1, 1'000'000));
    add_setting(command, "lease", lease, "After this a worker that went silent loses its orders");
    add_setting(command, "timeout", timeout, "Of one attempt");
    add_setting(command, "attempts", attempts, "Then the order is FAILED")
        ->check(CLI::Range(1, 1'000'000));
    add_setting(command, "retry-base", retry_base,
                "Before the second attempt; doubles, up to 1h or this if it is more");
    poll_interval_option =
        add_setting(command, "poll-interval", poll_interval,
                    "How often to look for what nobody announced; with a broker 5s");
    add_setting(command, "drain", drain, "How long a stop may take");
}

result<std::unique_ptr<running_worker>> running_worker::start(engine& orders,
                                                              const worker_settings& settings,
                                                              broker* from,
                                                              const broker_names& names) {
    const auto lease = duration_option("--lease", settings.lease, lease_min);
    if (!lease) return lease.error();
    const auto timeout = duration_option("--timeout", settings.timeout, time_min);
    if (!timeout) return timeout.error();
    const auto retry_base = duration_option("--retry-base", settings.retry_base);
    if (!retry_base) return retry_base.error();
    auto poll_interval = duration_option("--poll-interval", settings.poll_interval, time_min);
    if (!poll_interval) return poll_interval.error();
    if (from && settings.poll_interval_option->count() == 0)
        poll_interval = poll_interval_beside_messages;
    auto work = of_option("--processor",
                          make_named_processor(settings.processor, settings.processor_width));
    if (!work) return work.error();

    worker_options options;
    options.in_flight_max = settings.in_flight;
    options.lease = *lease;
    options.timeout = *timeout;
    options.retry.attempts_max = settings.attempts;
    options.retry.base = *retry_base;
    options.retry.cap = std::max(options.retry.cap, *retry_base);
    options.poll_interval = *poll_interval;
    options.wake_on_commit = from == nullptr;
    std::unique_ptr<running_worker> out(new running_worker);
    out->processor_ = std::move(*work);
    out->worker_ = std::make_unique<worker>(orders, *out->processor_, std::move(options));
    if (auto started = out->worker_->start(); !started) return started.error();
    if (!from) return out;
    work_queue_options messages;
    messages.queue = names.work;
    messages.poison_queue = names.poison;
    out->messages_ =
        std::make_unique<work_queue_consumer>(orders, *out->worker_, *from, std::move(messages));
    if (auto started = out->messages_->start(); !started) return started.error();
    return out;
}

void running_worker::stop(std::chrono::milliseconds drain) {
    if (messages_) messages_->stop();
    worker_->stop(drain);
}

}  // namespace orderproc::server
