#ifndef ORDERPROC_SERVER_API_STATS_HISTORY_HPP
#define ORDERPROC_SERVER_API_STATS_HISTORY_HPP

// How work went in the last hour, as one process has sampled it: what GET /stats shows.

#include <orderproc/runtime.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace orderproc::server {

// Which spans there are: each has as many points.
struct stats_span {
    std::string_view name;      // "15m"
    std::chrono::seconds step;  // between points
};
inline constexpr std::size_t stats_points = 180;
inline constexpr std::array<stats_span, 2> stats_spans{
    {{"15m", std::chrono::seconds(5)}, {"1h", std::chrono::seconds(20)}}};

// Durations from the creation of an order to its completion, in buckets of fixed bounds: whole
// milliseconds up to 8, then eight buckets for each power of two, up to 12 days, which is what
// longer ones count as. A percentile is off by at most one sixteenth.
class duration_counts {
public:
    static constexpr std::size_t size = 8 + 27 * 8;
    static constexpr std::chrono::seconds goal{10};

    void add(std::chrono::milliseconds value) noexcept;  // below 0: counts as 0
    void add(const duration_counts& other) noexcept;
    void clear() noexcept { *this = {}; }
    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t within_goal() const noexcept { return within_goal_; }
    // part: above 0, at most 1. REQUIRES: count() is not 0.
    std::chrono::milliseconds percentile(double part) const noexcept;

private:
    std::array<std::uint32_t, size> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t within_goal_ = 0;
};

// What one look found.
struct stats_sample {
    std::uint64_t created = 0;    // ever
    std::uint64_t completed = 0;  // ever
    std::uint64_t waiting = 0;    // orders
    std::uint64_t in_work = 0;
    // Orders that failed since the sample before, estimated; none: not known.
    std::optional<double> failed = {};
    // Of orders that were completed since then; more than 1,000 are of no use.
    std::span<const std::chrono::milliseconds> created_to_done = {};
};

// Keeps samples in rings of a fixed size: about 110 KB, whatever goes on. Times are by the
// monotonic clock, so a wall clock that is set moves no point. Safe to use from any thread; nothing
// is allocated after construction.
class stats_history {
public:
    using instant = clock::instant;

    struct point {
        std::optional<double> created, completed, failed;  // a second
        std::optional<std::uint64_t> waiting, in_work;
        std::optional<std::chrono::milliseconds> p50, p95, p99;
    };
    // The last five minutes.
    struct flow {
        std::chrono::milliseconds p50, p95, p99;
        double within_goal = 0;     // 0 to 1
        std::uint64_t sampled = 0;  // orders that this is of…
        std::uint64_t of = 0;       // …and that were completed
    };
    struct view {
        instant from{};                // when the first point begins
        std::optional<instant> since;  // of the first sample; none: there was none
        std::array<point, stats_points> points;
        std::optional<double> completed_per_minute;  // over the last minute
        std::optional<flow> created_to_done;
    };

    stats_history();

    // Whether a step has ended since the last sample, so that another one is to be taken.
    bool is_due(instant now) const noexcept;
    // A sample that was taken now. It stands for the step that has just ended.
    void add(instant now, const stats_sample& sample) noexcept;
    view look(std::size_t span, instant now) const noexcept;  // span: an index of stats_spans

private:
    struct totals {
        instant at{};
        std::uint64_t created = 0, completed = 0;
    };
    // The points of one span.
    class ring {
    public:
        explicit ring(std::chrono::milliseconds step);
        void add(instant now, const stats_sample& sample) noexcept;
        instant look(instant now, std::span<point> out) const noexcept;  // when the first begins

    private:
        struct slot {
            std::int64_t step = -1;
            point is = {};
        };
        std::int64_t step_at(instant at) const noexcept;
        slot& slot_of(std::int64_t step) noexcept;

        const std::chrono::milliseconds step_;
        std::vector<slot> slots_;
        std::optional<totals> base_;  // of the first sample of the present step
        instant sampled_{};           // the last sample
        // Of the present step, as far as it has been sampled.
        std::optional<double> failed_;
        std::chrono::milliseconds failed_time_{0};
        duration_counts done_;
    };
    // One step of the last minutes.
    struct recent {
        std::int64_t step = -1;
        totals at_end = {};
        duration_counts done = {};
    };

    const recent* recent_at(std::int64_t step) const noexcept;
    std::optional<double> per_minute(instant now) const noexcept;
    std::optional<flow> flow_of(instant now) const noexcept;

    mutable std::mutex mutex_;
    std::array<ring, stats_spans.size()> rings_;
    std::vector<recent> recent_;
    std::optional<instant> since_;
    std::int64_t last_ = -1;  // the step of the last sample
};

}  // namespace orderproc::server

#endif
