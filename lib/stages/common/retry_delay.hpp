#ifndef ORDERPROC_STAGES_COMMON_RETRY_DELAY_HPP
#define ORDERPROC_STAGES_COMMON_RETRY_DELAY_HPP

#include <orderproc/worker.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Longer than anybody waits, short enough to be added to any time.
inline constexpr std::chrono::milliseconds delay_max = std::chrono::hours(24 * 366);

// What to wait after that attempt (1 the first time): what the processor asked for, else the
// policy's exponential back-off, spread by a uniform random number.
std::chrono::milliseconds retry_delay(std::optional<std::chrono::milliseconds> asked,
                                      const retry_policy& policy, std::uint32_t attempt,
                                      std::uint64_t random) noexcept;

// What retry_delay() gives at most, unless the processor asked for more.
std::chrono::milliseconds longest_backoff(const retry_policy& policy) noexcept;

// Of commits and claims that the storage did not take: after so many failures in a row.
ORDERPROC_EXPORT std::chrono::milliseconds commit_pause(std::uint32_t failures) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
