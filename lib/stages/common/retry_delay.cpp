#include "stages/common/retry_delay.hpp"

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

using std::chrono::milliseconds;

// base * 2^times, without overflow: both are at most delay_max.
milliseconds doubled(milliseconds base, std::uint32_t times, milliseconds cap) noexcept {
    milliseconds delay = std::min(base, cap);
    for (; times > 0 && delay < cap && delay > milliseconds(0); --times) {
        delay = delay > cap / 2 ? cap : delay * 2;
    }
    return delay;
}

}  // namespace

milliseconds retry_delay(std::optional<milliseconds> asked, const retry_policy& policy,
                         std::uint32_t attempt, std::uint64_t random) noexcept {
    if (asked) return std::clamp(*asked, milliseconds(0), delay_max);
    const auto delay = doubled(policy.base, std::max(attempt, 1U) - 1, policy.cap);
    const double uniform = static_cast<double>(random >> 11) * 0x1.0p-53;  // [0, 1)
    const double factor = 1.0 + policy.jitter * (2.0 * uniform - 1.0);
    return milliseconds(
        static_cast<milliseconds::rep>(static_cast<double>(delay.count()) * factor));
}

milliseconds longest_backoff(const retry_policy& policy) noexcept {
    const double factor = 1.0 + policy.jitter;
    return milliseconds(
               static_cast<milliseconds::rep>(static_cast<double>(policy.cap.count()) * factor)) +
           milliseconds(1);
}

milliseconds commit_pause(std::uint32_t failures) noexcept {
    return doubled(milliseconds(100), std::max(failures, 1U) - 1, milliseconds(5000));
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
