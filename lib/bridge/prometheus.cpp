#include <orderproc/prometheus.hpp>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

using ::prometheus::Counter;
using ::prometheus::Family;
using ::prometheus::Gauge;
using ::prometheus::Histogram;
using ::prometheus::Registry;

using bounds = Histogram::BucketBoundaries;

const bounds batch_sizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
const bounds commit_times{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};
const bounds completion_times{0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 86400};
const bounds attempt_times{0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 86400};

Histogram& histogram(Registry& in, const char* name, const char* help, const bounds& at) {
    return ::prometheus::BuildHistogram().Name(name).Help(help).Register(in).Add({}, at);
}

double seconds(std::chrono::milliseconds value) {
    return std::chrono::duration<double>(value).count();
}

// An observer must not throw. Finding a metric by its labels allocates: if memory has run out, this
// one value is not recorded.
template <class Record>
void unless_out_of_memory(Record record) noexcept {
    try {
        record();
    } catch (const std::exception&) {  // see above
    }
}

}  // namespace

class ORDERPROC_HIDDEN prometheus_observer::impl {
public:
    impl(Registry& in, const status_machine& machine)
        : batch_size(histogram(in, "orderproc_commit_batch_size",
                               "Changes, claims and cursor moves in a transaction", batch_sizes)),
          commit_time(histogram(in, "orderproc_commit_seconds", "Time of a durable transaction",
                                commit_times)),
          completion_time(histogram(in, "orderproc_completion_seconds",
                                    "From the first claim of an order to its completion",
                                    completion_times)),
          created_to_done(histogram(in, "orderproc_created_to_done_seconds",
                                    "From the creation of an order to its completion",
                                    completion_times)),
          attempt_time(::prometheus::BuildHistogram()
                           .Name("orderproc_attempt_seconds")
                           .Help("Time of an attempt of work by its stage and how it ended")
                           .Register(in)),
          lost(::prometheus::BuildCounter()
                   .Name("orderproc_lease_lost_total")
                   .Help("Leases that a worker of this process lost while it worked")
                   .Register(in)
                   .Add({})),
          expired(::prometheus::BuildCounter()
                      .Name("orderproc_lease_expired_total")
                      .Help("Expired leases whose orders this process took from silent workers")
                      .Register(in)
                      .Add({})),
          failed(::prometheus::BuildCounter()
                     .Name("orderproc_orders_failed_total")
                     .Help("Orders that became dead letters")
                     .Register(in)
                     .Add({})),
          connected(::prometheus::BuildGauge()
                        .Name("orderproc_broker_connected")
                        .Help("Whether the relay publishes, and wake-ups are received: 1, else 0")
                        .Register(in)),
          feed_lag(
              ::prometheus::BuildGauge()
                  .Name("orderproc_feed_lag_seconds")
                  .Help("Age of the oldest entry of the journal that the cursor has not passed")
                  .Register(in)),
          given_up(::prometheus::BuildCounter()
                       .Name("orderproc_feed_given_up_total")
                       .Help("Entries of the journal that could not be published, by what was done")
                       .Register(in)),
          errors(::prometheus::BuildCounter()
                     .Name("orderproc_errors_total")
                     .Help("What people should know of, by where it happened; the log has more")
                     .Register(in)),
          wake_ups(::prometheus::BuildCounter()
                       .Name("orderproc_wake_ups_total")
                       .Help("Messages to the worker by what became of them")
                       .Register(in)),
          machine_(machine) {
        auto& moves = ::prometheus::BuildCounter()
                          .Name("orderproc_transitions_total")
                          .Help("Changes of orders by the event that made them")
                          .Register(in);
        for (const std::string_view it : engine_events) {
            const std::string event(it);
            transitions.emplace(event, &moves.Add({{"event", event}}));
        }
        for (const transition& it : machine.transitions()) {
            const std::string event(it.event);
            transitions.emplace(event, &moves.Add({{"event", event}}));
        }
        auto& ends = ::prometheus::BuildCounter()
                         .Name("orderproc_attempts_total")
                         .Help("Attempts of work by how they ended")
                         .Register(in);
        for (std::size_t i = 0; i < attempts.size(); ++i) {
            const std::string outcome(name_of(static_cast<attempt_outcome>(i)));
            attempts[i] = &ends.Add({{"outcome", outcome}});
            for (const work_stage& stage : machine.stages()) {
                const std::string active(stage.active.view());
                durations[active][i] =
                    &attempt_time.Add({{"stage", active}, {"outcome", outcome}}, attempt_times);
            }
        }
        auto& uses = ::prometheus::BuildCounter()
                         .Name("orderproc_idempotency_total")
                         .Help("Requests with an idempotency key by what became of it")
                         .Register(in);
        constexpr std::array names{"new", "replayed", "mismatch"};
        for (std::size_t i = 0; i < keys.size(); ++i) {
            keys[i] = &uses.Add({{"result", names[i]}});
        }
    }

    void count(std::string_view event, std::size_t by) {
        const auto found = transitions.find(event);
        if (by > 0 && found != transitions.end()) {
            found->second->Increment(static_cast<double>(by));
        }
    }

    // Whether it is the event by which a stage gives an order up.
    bool fails(std::string_view event) const noexcept {
        const auto stages = machine_.stages();
        return std::any_of(stages.begin(), stages.end(),
                           [event](const work_stage& it) { return it.fail == event; });
    }

    Histogram& batch_size;
    Histogram& commit_time;
    Histogram& completion_time;
    Histogram& created_to_done;
    Family<Histogram>& attempt_time;
    Counter& lost;
    Counter& expired;
    Counter& failed;
    // Children come with the first report: without a broker there are none.
    Family<Gauge>& connected;
    Family<Gauge>& feed_lag;
    Family<Counter>& given_up;
    Family<Counter>& errors;
    Family<Counter>& wake_ups;
    std::map<std::string, Counter*, std::less<>> transitions;
    std::array<Counter*, attempt_outcomes> attempts{};
    std::map<std::string, std::array<Histogram*, attempt_outcomes>, std::less<>> durations;
    std::array<Counter*, 3> keys{};

private:
    const status_machine& machine_;
};

prometheus_observer::prometheus_observer(Registry& in, const status_machine& machine)
    : impl_(std::make_unique<impl>(in, machine)) {}

prometheus_observer::~prometheus_observer() = default;

void prometheus_observer::batch_written(const batch_report& it) noexcept {
    impl_->batch_size.Observe(
        static_cast<double>(it.changes + it.claims + it.cursors + it.records + it.purges));
    impl_->commit_time.Observe(std::chrono::duration<double>(it.write_time).count());
}

void prometheus_observer::transition_committed(const transition_report& it) noexcept {
    impl_->count(it.event, 1);
    if (impl_->fails(it.event)) impl_->failed.Increment();
    if (!it.completed) return;
    impl_->created_to_done.Observe(seconds(it.after.updated_at - it.after.created_at));
    if (!it.after.first_claimed_at) return;
    impl_->completion_time.Observe(seconds(it.after.updated_at - *it.after.first_claimed_at));
}

void prometheus_observer::orders_claimed(const claim_report& it) noexcept {
    impl_->count(it.stage.start, it.handed_out);
    impl_->count(it.stage.release, it.expired);
    impl_->count(it.stage.fail, it.exhausted);
    impl_->expired.Increment(static_cast<double>(it.expired + it.exhausted));
    impl_->failed.Increment(static_cast<double>(it.exhausted));
}

void prometheus_observer::key_used(key_use it) noexcept {
    const auto at = static_cast<std::size_t>(it);
    if (at < impl_->keys.size()) impl_->keys[at]->Increment();
}

void prometheus_observer::attempt_finished(const attempt_report& it) noexcept {
    const auto at = static_cast<std::size_t>(it.outcome);
    if (at >= impl_->attempts.size()) return;
    impl_->attempts[at]->Increment();
    const auto found = impl_->durations.find(it.stage);
    if (found != impl_->durations.end()) found->second[at]->Observe(seconds(it.duration));
}

void prometheus_observer::lease_lost(std::string_view) noexcept {
    impl_->lost.Increment();
}

void prometheus_observer::broker_changed(const broker_report& it) noexcept {
    unless_out_of_memory([&] {
        const std::string connection(it.connection);
        impl_->connected.Add({{"connection", connection}}).Set(it.connected ? 1 : 0);
    });
}

void prometheus_observer::feed_measured(const feed_report& it) noexcept {
    unless_out_of_memory([&] {
        impl_->feed_lag.Add({{"cursor", std::string(it.cursor)}}).Set(seconds(it.lag));
    });
}

void prometheus_observer::entry_given_up(const given_up_report& it) noexcept {
    unless_out_of_memory([&] {
        const std::string cursor(it.cursor);
        const std::string action(name_of(it.action));
        impl_->given_up.Add({{"cursor", cursor}, {"action", action}}).Increment();
    });
}

void prometheus_observer::orders_hinted(const hint_report& it) noexcept {
    const auto stale = it.hinted - std::min(it.hinted, it.claimed);
    unless_out_of_memory([&] {
        impl_->wake_ups.Add({{"result", "claimed"}}).Increment(static_cast<double>(it.claimed));
        impl_->wake_ups.Add({{"result", "stale"}}).Increment(static_cast<double>(stale));
    });
}

void prometheus_observer::error(std::string_view where, const failure&) noexcept {
    unless_out_of_memory([&] { impl_->errors.Add({{"where", std::string(where)}}).Increment(); });
}

void prometheus_observer::message_refused(std::string_view, std::string_view) noexcept {
    unless_out_of_memory([&] { impl_->wake_ups.Add({{"result", "poison"}}).Increment(); });
}

namespace {

::prometheus::MetricFamily family(const char* name, const char* help) {
    return {name, help, ::prometheus::MetricType::Gauge, {}};
}

void add(::prometheus::MetricFamily& to, order_status status, double value) {
    ::prometheus::ClientMetric it;
    it.label.push_back({"status", std::string(status.view())});
    it.gauge.value = value;
    to.metric.push_back(std::move(it));
}

class storage_metrics final : public ::prometheus::Collectable {
public:
    storage_metrics(reader& from, const status_machine& machine, clock& time)
        : from_(from), machine_(machine), time_(time) {}

    std::vector<::prometheus::MetricFamily> Collect() const override {
        const auto counted = from_.use([](repository_reader& by) { return by.count(); });
        if (!counted) return {};
        return to_metrics(*counted, machine_, time_.now());
    }

private:
    reader& from_;
    const status_machine& machine_;
    clock& time_;
};

}  // namespace

std::vector<::prometheus::MetricFamily> to_metrics(const statistics& counted,
                                                   const status_machine& machine, timestamp now) {
    auto orders = family("orderproc_orders", "Orders by status");
    auto depth = family("orderproc_queue_depth", "Orders that wait for work");
    auto age =
        family("orderproc_queue_oldest_age_seconds", "How long the first of them has been due");
    for (const order_status& status : machine.statuses()) {
        const auto& rows = counted.orders;
        const auto found = std::find_if(
            rows.begin(), rows.end(), [&](const status_count& it) { return it.status == status; });
        const bool any = found != rows.end();
        const double size = any ? static_cast<double>(found->orders) : 0;
        add(orders, status, size);
        if (!machine.stage_waiting_in(status)) continue;
        add(depth, status, size);
        const bool late = any && found->oldest_due_at && *found->oldest_due_at < now;
        add(age, status, late ? seconds(now - *found->oldest_due_at) : 0);
    }
    ::prometheus::MetricFamily created{"orderproc_orders_created_total",
                                       "Orders that were ever created",
                                       ::prometheus::MetricType::Counter,
                                       {}};
    created.metric.emplace_back().counter.value = static_cast<double>(counted.created);
    return {std::move(orders), std::move(created), std::move(depth), std::move(age)};
}

std::shared_ptr<::prometheus::Collectable> make_storage_metrics(reader& from,
                                                                const status_machine& machine,
                                                                clock& time) {
    return std::make_shared<storage_metrics>(from, machine, time);
}

}  // namespace v1
}  // namespace orderproc
