#ifndef ORDERPROC_SERVER_OBSERVE_HEALTH_HPP
#define ORDERPROC_SERVER_OBSERVE_HEALTH_HPP

// Is this process fit to be sent requests?

#include "api/health_reason.hpp"
#include "api/process_state.hpp"

#include <orderproc/observer.hpp>
#include <orderproc/runtime.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace orderproc::server {

struct health_limits {
    // A failed write makes the process unready for so long, unless a write succeeds before.
    std::chrono::milliseconds write_failure_kept = std::chrono::seconds(10);
    // The storage hangs when a probe of it takes longer.
    std::chrono::milliseconds probe_time_max = std::chrono::seconds(5);
    // The process is degraded while a feed is later than this.
    std::chrono::milliseconds feed_lag_max = std::chrono::seconds(30);
};

// What is known of the process and its storage. Nothing here asks the storage: all writes, and the
// probes of storage_probe, report to it. Times are by the monotonic clock. Safe to use from any
// thread.
class health final : public observer {
public:
    explicit health(clock& time, health_limits limits = {})  // the clock outlives it
        : time_(time), limits_(limits) {}

    void batch_written(const batch_report& it) noexcept override;
    void broker_changed(const broker_report& it) noexcept override;
    void feed_measured(const feed_report& it) noexcept override;
    void stopping() noexcept { stopping_ = true; }

    // How a probe goes, one of each kind at a time. The result of a probing write comes by
    // batch_written(), as that of any other.
    void read_begins() noexcept;
    void read_ends(error_code ec) noexcept;
    void write_begins() noexcept;
    void write_ends() noexcept;
    // Has the last write failed? Then a probing write tells when writes succeed again.
    bool write_failed() const noexcept;

    // Why the storage cannot be read; empty: it can.
    std::vector<health_reason> unhealthy() const;
    // Why no requests should be sent here; empty: they should.
    std::vector<health_reason> unready() const;
    // What is not as it should be, though orders are accepted and worked on.
    std::vector<health_reason> degraded() const;

    // By name. A connection that was never tried is not among them.
    std::vector<broker_connection> connections() const;
    // By cursor, with what has been added to lag and waited since it was measured.
    std::vector<feed_progress> feeds() const;

private:
    struct feed_state {
        feed_report report;  // without its cursor
        clock::instant measured_at;
    };

    void append_read_reasons(clock::instant now, std::vector<health_reason>& out) const;
    static feed_report grown(const feed_state& it, clock::instant now) noexcept;
    bool hangs(const std::optional<clock::instant>& since, clock::instant now) const noexcept;

    clock& time_;
    const health_limits limits_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> write_failed_{false};  // so that a write that succeeds takes no lock

    mutable std::mutex mutex_;
    error_code last_read_;
    error_code last_write_;
    clock::instant write_failed_at_{};
    std::optional<clock::instant> reading_since_;  // a probe is under way
    std::optional<clock::instant> writing_since_;
    std::map<std::string, broker_connection> connections_;
    std::map<std::string, feed_state> feeds_;  // by cursor
};

}  // namespace orderproc::server

#endif
