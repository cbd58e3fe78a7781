#include "observe/health.hpp"

#include <exception>
#include <utility>

namespace orderproc::server {

namespace {

std::string in_seconds(std::chrono::milliseconds time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

// Refusals say nothing about the storage.
bool is_fault(error_code ec) noexcept {
    return ec == errc::unavailable || ec == errc::outcome_unknown || ec == errc::corrupt ||
           ec == errc::schema_mismatch || ec == errc::not_supported;
}

}  // namespace

void health::batch_written(const batch_report& it) noexcept {
    const bool failed = is_fault(it.ec);
    if (!failed && !write_failed_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    last_write_ = failed ? it.ec : error_code();
    if (failed) write_failed_at_ = time_.monotonic();
    write_failed_ = failed;
}

void health::broker_changed(const broker_report& it) noexcept {
    try {
        broker_connection now{std::string(it.connection), std::string(it.broker), it.connected};
        if (!it.connected) now.reason = it.why.message();
        const std::lock_guard lock(mutex_);
        connections_.insert_or_assign(now.name, now);
    } catch (const std::exception&) {  // without memory it is said the next time
    }
}

void health::feed_measured(const feed_report& it) noexcept {
    try {
        const std::lock_guard lock(mutex_);
        feed_state& kept = feeds_[std::string(it.cursor)];
        kept = {it, time_.monotonic()};
        kept.report.cursor = {};
    } catch (const std::exception&) {  // without memory it is said the next time
    }
}

void health::read_begins() noexcept {
    const std::lock_guard lock(mutex_);
    reading_since_ = time_.monotonic();
}

void health::read_ends(error_code ec) noexcept {
    const std::lock_guard lock(mutex_);
    reading_since_.reset();
    last_read_ = ec;
}

void health::write_begins() noexcept {
    const std::lock_guard lock(mutex_);
    writing_since_ = time_.monotonic();
}

void health::write_ends() noexcept {
    const std::lock_guard lock(mutex_);
    writing_since_.reset();
}

bool health::write_failed() const noexcept {
    return write_failed_;
}

bool health::hangs(const std::optional<clock::instant>& since, clock::instant now) const noexcept {
    return since && now - *since > limits_.probe_time_max;
}

void health::append_read_reasons(clock::instant now, std::vector<health_reason>& out) const {
    if (last_read_)
        out.push_back(
            {health_codes::storage_unreadable, "storage: cannot be read: " + last_read_.message()});
    if (hangs(reading_since_, now)) {
        out.push_back({health_codes::storage_hangs, "storage: a read has been waiting for " +
                                                        in_seconds(now - *reading_since_)});
    }
}

std::vector<health_reason> health::unhealthy() const {
    std::vector<health_reason> out;
    const auto now = time_.monotonic();
    const std::lock_guard lock(mutex_);
    append_read_reasons(now, out);
    return out;
}

std::vector<health_reason> health::unready() const {
    std::vector<health_reason> out;
    if (stopping_) out.push_back({health_codes::stopping, "shutting down"});
    const auto now = time_.monotonic();
    const std::lock_guard lock(mutex_);
    append_read_reasons(now, out);
    if (last_write_ && now - write_failed_at_ < limits_.write_failure_kept) {
        out.push_back({health_codes::storage_unwritable,
                       "storage: could not be written: " + last_write_.message()});
    }
    if (hangs(writing_since_, now)) {
        out.push_back({health_codes::storage_write_hangs, "storage: a write has been waiting for " +
                                                              in_seconds(now - *writing_since_)});
    }
    return out;
}

std::vector<health_reason> health::degraded() const {
    std::vector<health_reason> out;
    const auto now = time_.monotonic();
    const std::lock_guard lock(mutex_);
    for (const auto& [name, it] : connections_) {
        if (it.connected) continue;
        out.push_back({health_codes::broker_away,
                       name + ": no connection to " + it.broker + ": " + it.reason});
    }
    for (const auto& [cursor, it] : feeds_) {
        if (it.report.behind == 0) continue;
        const feed_report is = grown(it, now);
        if (is.lag <= limits_.feed_lag_max) continue;
        out.push_back({health_codes::feed_late, cursor + ": " + describe(is) + " (" +
                                                    std::to_string(is.behind) + " entries)"});
    }
    return out;
}

// The relay that measures may be stuck as well.
feed_report health::grown(const feed_state& it, clock::instant now) noexcept {
    feed_report out = it.report;
    if (out.behind == 0) return out;
    out.lag += now - it.measured_at;
    out.waited += now - it.measured_at;
    return out;
}

std::vector<broker_connection> health::connections() const {
    std::vector<broker_connection> out;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, it] : connections_) out.push_back(it);
    return out;
}

std::vector<feed_progress> health::feeds() const {
    std::vector<feed_progress> out;
    const auto now = time_.monotonic();
    const std::lock_guard lock(mutex_);
    for (const auto& [cursor, it] : feeds_) {
        const feed_report is = grown(it, now);
        out.push_back({cursor, is.leading, is.behind, is.lag, is.waits_for, is.waited});
    }
    return out;
}

}  // namespace orderproc::server
