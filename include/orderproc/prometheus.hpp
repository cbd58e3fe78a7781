#ifndef ORDERPROC_PROMETHEUS_HPP
#define ORDERPROC_PROMETHEUS_HPP

// Metrics for Prometheus, in a registry of the host's (github.com/jupp0r/prometheus-cpp). Names
// begin with orderproc_, units are seconds.

#include <orderproc/observer.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/runtime.hpp>

#include <memory>
#include <vector>

namespace prometheus {
class Collectable;
class Registry;
struct MetricFamily;
}  // namespace prometheus

namespace orderproc {
inline namespace v1 {

// transitions_total{event}, attempts_total{outcome}, attempt_seconds{stage,outcome},
// completion_seconds (from the first claim to completion by a worker), created_to_done_seconds
// (from the creation to that completion), commit_batch_size, commit_seconds,
// idempotency_total{result}, lease_lost_total, lease_expired_total (leases of silent workers that
// claims of this process ended) and orders_failed_total (orders that became dead letters); after an
// error errors_total{where}; with a broker also broker_connected{connection},
// feed_lag_seconds{cursor}, feed_given_up_total{cursor,action} and wake_ups_total{result}. One for
// each registry. The registry and the machine must outlive it.
class ORDERPROC_EXPORT prometheus_observer final : public observer {
public:
    prometheus_observer(::prometheus::Registry& in, const status_machine& machine);
    prometheus_observer(::prometheus::Registry&, const status_machine&&) = delete;
    ~prometheus_observer() override;

    void batch_written(const batch_report& it) noexcept override;
    void transition_committed(const transition_report& it) noexcept override;
    void orders_claimed(const claim_report& it) noexcept override;
    void key_used(key_use it) noexcept override;
    void attempt_finished(const attempt_report& it) noexcept override;
    void lease_lost(std::string_view order) noexcept override;
    void broker_changed(const broker_report& it) noexcept override;
    void feed_measured(const feed_report& it) noexcept override;
    void entry_given_up(const given_up_report& it) noexcept override;
    void orders_hinted(const hint_report& it) noexcept override;
    void message_refused(std::string_view id, std::string_view reason) noexcept override;
    void error(std::string_view where, const failure& what) noexcept override;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

// orders{status}, orders_created_total, and queue_depth{status} and
// queue_oldest_age_seconds{status} of those that wait for work, read at each scrape. Nothing while
// the storage cannot be read. All arguments outlive it.
ORDERPROC_EXPORT std::shared_ptr<::prometheus::Collectable> make_storage_metrics(
    reader& from, const status_machine& machine, clock& time);

std::shared_ptr<::prometheus::Collectable> make_storage_metrics(reader&, const status_machine&&,
                                                                clock&) = delete;

// The same of statistics that the host has read itself, as a scrape on an event loop does by a
// read_pool. now: by which the age of what is due is told.
ORDERPROC_EXPORT std::vector<::prometheus::MetricFamily> to_metrics(const statistics& counted,
                                                                    const status_machine& machine,
                                                                    timestamp now);

}  // namespace v1
}  // namespace orderproc

#endif
