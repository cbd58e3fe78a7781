#include "api/stats_history.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds base_step = stats_spans[0].step;
// What the last five minutes need, with the sample before them.
constexpr std::size_t recent_steps = std::chrono::minutes(5) / base_step + 1;
constexpr std::int64_t steps_of_a_minute = std::chrono::minutes(1) / base_step;
// A minute that was not sampled at its very beginning may be told by one that is so much longer.
constexpr std::int64_t steps_more = 6;
// After the last sample the numbers of the present are good for so many steps.
constexpr std::int64_t steps_good = 3;

std::int64_t base_step_at(clock::instant at) noexcept {
    return at.time_since_epoch() / base_step;
}

std::size_t bucket_of(std::uint64_t ms) noexcept {
    if (ms < 8) return static_cast<std::size_t>(ms);
    const auto power = static_cast<std::size_t>(std::bit_width(ms)) - 1;  // at least 3
    const std::size_t eighth = static_cast<std::size_t>(ms >> (power - 3)) - 8;
    return std::min((power - 2) * 8 + eighth, duration_counts::size - 1);
}

// The middle of a bucket.
milliseconds middle_of(std::size_t bucket) noexcept {
    if (bucket < 16) return milliseconds(bucket);  // one millisecond each
    const std::size_t power = bucket / 8 + 2;
    const std::uint64_t low = std::uint64_t{bucket % 8 + 8} << (power - 3);
    const std::uint64_t width = std::uint64_t{1} << (power - 3);
    return milliseconds(low + width / 2);
}

// None if the counter went back: a storage was put back to an earlier state.
std::optional<double> rate(std::uint64_t before, std::uint64_t now, milliseconds time) noexcept {
    if (now < before || time.count() <= 0) return std::nullopt;
    return static_cast<double>(now - before) / std::chrono::duration<double>(time).count();
}

}  // namespace

void duration_counts::add(milliseconds value) noexcept {
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
    ++buckets_[bucket_of(ms)];
    ++count_;
    if (value <= goal) ++within_goal_;
}

void duration_counts::add(const duration_counts& other) noexcept {
    if (other.count_ == 0) return;
    for (std::size_t i = 0; i < size; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    within_goal_ += other.within_goal_;
}

milliseconds duration_counts::percentile(double part) const noexcept {
    const auto rank = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
    std::uint64_t passed = 0;
    for (std::size_t i = 0; i < size; ++i) {
        passed += buckets_[i];
        if (passed >= rank) return middle_of(i);
    }
    return middle_of(size - 1);
}

stats_history::ring::ring(milliseconds step) : step_(step), slots_(stats_points) {}

std::int64_t stats_history::ring::step_at(instant at) const noexcept {
    return at.time_since_epoch() / step_;
}

stats_history::ring::slot& stats_history::ring::slot_of(std::int64_t step) noexcept {
    return slots_[static_cast<std::size_t>(step) % slots_.size()];
}

void stats_history::ring::add(instant now, const stats_sample& sample) noexcept {
    const totals at{now, sample.created, sample.completed};
    if (!base_) {  // nothing is known of the time before
        base_ = at;
        sampled_ = now;
        return;
    }
    for (const milliseconds it : sample.created_to_done) done_.add(it);
    if (sample.failed) {
        failed_ = failed_.value_or(0) + *sample.failed;
        failed_time_ += now - sampled_;
    }
    sampled_ = now;
    const std::int64_t step = step_at(now);
    const std::int64_t before = step_at(base_->at);
    if (step == before) return;
    slot& to = slot_of(step - 1);
    to = {step - 1, {}};
    to.is.waiting = sample.waiting;
    to.is.in_work = sample.in_work;
    if (step - 1 == before) {  // else it is of more than this step
        to.is.created = rate(base_->created, at.created, now - base_->at);
        to.is.completed = rate(base_->completed, at.completed, now - base_->at);
        if (failed_ && failed_time_.count() > 0) {
            to.is.failed = *failed_ / std::chrono::duration<double>(failed_time_).count();
        }
        if (done_.count() > 0) {
            to.is.p50 = done_.percentile(0.5);
            to.is.p95 = done_.percentile(0.95);
            to.is.p99 = done_.percentile(0.99);
        }
    }
    base_ = at;
    failed_.reset();
    failed_time_ = {};
    done_.clear();
}

stats_history::instant stats_history::ring::look(instant now, std::span<point> out) const noexcept {
    const std::int64_t first = step_at(now) - static_cast<std::int64_t>(out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::int64_t step = first + static_cast<std::int64_t>(i);
        if (step < 0) continue;
        const slot& it = slots_[static_cast<std::size_t>(step) % slots_.size()];
        if (it.step == step) out[i] = it.is;
    }
    return instant(step_ * first);
}

stats_history::stats_history()
    : rings_{ring(stats_spans[0].step), ring(stats_spans[1].step)}, recent_(recent_steps) {}

bool stats_history::is_due(instant now) const noexcept {
    const std::lock_guard lock(mutex_);
    return base_step_at(now) != last_;
}

void stats_history::add(instant now, const stats_sample& sample) noexcept {
    const std::lock_guard lock(mutex_);
    const std::int64_t step = base_step_at(now);
    if (step == last_) return;
    for (ring& it : rings_) it.add(now, sample);
    recent& to = recent_[static_cast<std::size_t>(step) % recent_.size()];
    to.step = step;
    to.at_end = {now, sample.created, sample.completed};
    to.done.clear();
    if (since_) {
        for (const milliseconds it : sample.created_to_done) to.done.add(it);
    } else {
        since_ = now;
    }
    last_ = step;
}

const stats_history::recent* stats_history::recent_at(std::int64_t step) const noexcept {
    if (step < 0) return nullptr;
    const recent& it = recent_[static_cast<std::size_t>(step) % recent_.size()];
    return it.step == step ? &it : nullptr;
}

std::optional<double> stats_history::per_minute(instant now) const noexcept {
    const recent* const last = recent_at(last_);
    if (!last || base_step_at(now) - last_ > steps_good) return std::nullopt;
    for (std::int64_t more = 0; more <= steps_more; ++more) {
        const recent* const first = recent_at(last_ - steps_of_a_minute - more);
        if (!first) continue;
        const auto a_second = rate(first->at_end.completed, last->at_end.completed,
                                   last->at_end.at - first->at_end.at);
        if (!a_second) return std::nullopt;
        return *a_second * 60;
    }
    return std::nullopt;
}

std::optional<stats_history::flow> stats_history::flow_of(instant now) const noexcept {
    const std::int64_t oldest = base_step_at(now) - static_cast<std::int64_t>(recent_.size()) + 1;
    duration_counts all;
    const recent* before = nullptr;
    std::uint64_t of = 0;
    for (std::int64_t step = oldest; step <= last_; ++step) {
        const recent* const it = recent_at(step);
        if (!it) continue;
        if (before) {
            all.add(it->done);
            if (it->at_end.completed > before->at_end.completed) {
                of += it->at_end.completed - before->at_end.completed;
            }
        }
        before = it;
    }
    if (all.count() == 0) return std::nullopt;
    flow out{all.percentile(0.5), all.percentile(0.95), all.percentile(0.99)};
    out.sampled = all.count();
    out.of = std::max(of, out.sampled);  // an entry may be seen before its count is
    out.within_goal = static_cast<double>(all.within_goal()) / static_cast<double>(all.count());
    return out;
}

stats_history::view stats_history::look(std::size_t span, instant now) const noexcept {
    view out;
    const std::lock_guard lock(mutex_);
    out.from = rings_[span].look(now, out.points);
    out.since = since_;
    out.completed_per_minute = per_minute(now);
    out.created_to_done = flow_of(now);
    return out;
}

}  // namespace orderproc::server
