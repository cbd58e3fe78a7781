#ifndef ORDERPROC_TESTING_MANUAL_CLOCK_HPP
#define ORDERPROC_TESTING_MANUAL_CLOCK_HPP

// Time and chance that a test owns.

#include <orderproc/runtime.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace orderproc {
inline namespace v1 {
namespace testing {

// Stands still until told to move. Safe to use from any thread.
class manual_clock final : public clock {
public:
    explicit manual_clock(timestamp start = timestamp{std::chrono::sys_days{
                              std::chrono::year{2026} / 6 / 15}}) noexcept
        : start_(start) {}

    timestamp now() override {
        return start_ + elapsed() + std::chrono::milliseconds{stepped_.load()};
    }
    instant monotonic() override { return instant{elapsed()}; }
    void advance(std::chrono::milliseconds by) noexcept { elapsed_ += by.count(); }
    // The wall clock alone, as if somebody had set it.
    void step(std::chrono::milliseconds by) noexcept { stepped_ += by.count(); }

private:
    std::chrono::milliseconds elapsed() const noexcept {
        return std::chrono::milliseconds{elapsed_.load()};
    }
    timestamp start_;
    std::atomic<std::int64_t> elapsed_{0};
    std::atomic<std::int64_t> stepped_{0};
};

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
class seeded_random final : public random_source {
public:
    explicit seeded_random(std::uint64_t seed = 1) noexcept : state_(seed) {}

    std::uint64_t next() override {
        std::uint64_t z = state_.fetch_add(step) + step;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

private:
    static constexpr std::uint64_t step = 0x9e3779b97f4a7c15U;
    std::atomic<std::uint64_t> state_;
};

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
