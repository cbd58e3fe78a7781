#include "stages/engine/clock_check.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::chrono::milliseconds tolerated = std::chrono::hours(24);

// About the surroundings: no call has failed.
failure saying(std::string text) {
    return {error_code(), std::move(text)};
}

}  // namespace

std::optional<failure> clock_check::judge(timestamp now, clock::instant monotonic,
                                          std::optional<timestamp> recorded) {
    const auto before = std::exchange(last_, pair_of_times{now, monotonic});
    if (before) {
        const auto passed = monotonic - before->monotonic;
        const auto stepped = (now - before->wall) - passed;
        if (stepped > tolerated || stepped < -tolerated) {
            return saying("the clock stepped from " + to_string(before->wall + passed) + " to " +
                          to_string(now));
        }
    }
    if (!recorded) return std::nullopt;
    const bool was_behind = std::exchange(behind_, *recorded - now > tolerated);
    if (!behind_ || was_behind) return std::nullopt;
    return saying("the clock says " + to_string(now) + ", but the newest journal entry is of " +
                  to_string(*recorded) +
                  ": until then all entries get that time. If the clock is right now, it was "
                  "ahead when that entry was written");
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
