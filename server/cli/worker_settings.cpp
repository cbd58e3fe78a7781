#include "cli/worker_settings.hpp"

#include "cli/refusal.hpp"
#include "cli/values.hpp"

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

// Messages tell of most work; this is for what they do not reach.
constexpr std::chrono::seconds poll_interval_beside_messages(5);

// So that a worker that went silent is noticed after three that did not come.
constexpr std::chrono::seconds record_every(10);

// What workers take at least.
constexpr std::chrono::milliseconds lease_min(100);
constexpr std::chrono::milliseconds time_min(1);

// For trying out.
constexpr std::string_view simulated_work = "simulate:2s";

}  // namespace

void worker_settings::add_to(CLI::App& command) {
    add_setting(
        command, "processor", processors,
        "What is done with an order: simulate:DURATION[,fail=P][,retry=P][,jitter=P]"
        "[,crash=ID] (the default, with 2s), exec:PROGRAM or https://HOST/PATH. If the model "
        "has several stages: STAGE=PROCESSOR or STAGE:EVENT=PROCESSOR, which may be "
        "repeated, in the environment one a line")
        ->delimiter('\n')
        ->allow_extra_args(false);
    add_setting(command, "processor-width", processor_width,
                "Processes of exec: (0: 16) or connections of http: (0: 64)")
        ->check(CLI::Range(0, 100'000));
    add_setting(command, "in-flight", in_flight, "Orders of a stage worked on at a time")
        ->check(CLI::Range(1, 1'000'000));
    add_setting(command, "lease", lease, "After this a worker that went silent loses its orders");
    add_setting(command, "timeout", timeout, "Of one attempt");
    add_setting(command, "async-timeout", async_timeout,
                "Of an attempt that an http: endpoint accepted with 202, until it is answered");
    add_setting(command, "attempts", attempts, "Then the order is FAILED")
        ->check(CLI::Range(1, 1'000'000));
    add_setting(command, "retry-base", retry_base,
                "Before the second attempt; doubles, up to 1h or this if it is more");
    poll_interval_option =
        add_setting(command, "poll-interval", poll_interval,
                    "How often to look for what nobody announced; with a broker 5s");
    add_setting(command, "drain", drain, "How long a stop may take");
}

result<retry_policy> worker_settings::retries() const {
    const auto base = duration_option("--retry-base", retry_base);
    if (!base) return base.error();
    retry_policy out;
    out.attempts_max = attempts;
    out.base = *base;
    out.cap = std::max(out.cap, *base);
    return out;
}

result<std::chrono::milliseconds> worker_settings::parsed_lease() const {
    return duration_option("--lease", lease, lease_min);
}

namespace {

result<worker_options> options_of(const worker_settings& settings, bool has_broker) {
    const auto lease = settings.parsed_lease();
    if (!lease) return lease.error();
    const auto timeout = duration_option("--timeout", settings.timeout, time_min);
    if (!timeout) return timeout.error();
    const auto retries = settings.retries();
    if (!retries) return retries.error();
    auto poll_interval = duration_option("--poll-interval", settings.poll_interval, time_min);
    if (!poll_interval) return poll_interval.error();
    if (has_broker && settings.poll_interval_option->count() == 0)
        poll_interval = poll_interval_beside_messages;
    worker_options out;
    out.in_flight_max = settings.in_flight;
    out.lease = *lease;
    out.timeout = *timeout;
    out.retry = *retries;
    out.poll_interval = *poll_interval;
    out.wake_on_commit = !has_broker;
    return out;
}

}  // namespace

result<std::unique_ptr<running_workers>> running_workers::start(
    engine& orders, const worker_settings& settings, outgoing_calls& calls,
    const attempt_tokens* tokens, broker* from, const broker_names& names) {
    const auto options = options_of(settings, from != nullptr);
    if (!options) return options.error();
    const auto async = duration_option("--async-timeout", settings.async_timeout, time_min);
    if (!async) return async.error();
    const auto what =
        of_option("--processor", settings.processors.empty()
                                     ? for_each_stage(std::string(simulated_work), orders.machine())
                                     : stage_processors(settings.processors, orders.machine()));
    if (!what) return what.error();
    std::unique_ptr<running_workers> out(new running_workers);
    const shared_settings with{settings, *options, calls, {tokens, *async}};
    for (const stage_processor& it : *what) {
        auto added = out->add(orders, it, with, from, names);
        if (!added) return std::move(added).error();
    }
    return out;
}

result<void> running_workers::add(engine& orders, const stage_processor& what,
                                  const shared_settings& with, broker* from,
                                  const broker_names& names) {
    auto work = of_option("--processor",
                          make_named_processor(what.text, what.event, with.settings.processor_width,
                                               orders.model(), with.calls, with.later));
    if (!work) return std::move(work).error();
    of_stage& it = stages_.emplace_back();
    it.work = std::move(*work);
    worker_options options = with.how;
    options.stages = {what.stage};
    options.record_every = record_every;
    options.program = ORDERPROC_VERSION;
    it.by = std::make_unique<worker>(orders, *it.work, std::move(options));
    if (auto started = it.by->start(); !started) return started;
    if (!from) return {};
    work_queue_options messages;
    messages.queue = names.work_of(what.stage, orders.machine());
    messages.stage = what.stage;
    messages.poison_queue = names.poison;
    it.messages = std::make_unique<work_queue_consumer>(orders, *it.by, *from, std::move(messages));
    return it.messages->start();
}

// All of them at the same time, for each may take the whole of it.
void running_workers::stop(std::chrono::milliseconds drain) {
    for (const of_stage& it : stages_) {
        if (it.messages) it.messages->stop();
    }
    std::vector<std::jthread> stopping;
    for (const of_stage& it : stages_) stopping.emplace_back([&it, drain] { it.by->stop(drain); });
}

}  // namespace orderproc::server
