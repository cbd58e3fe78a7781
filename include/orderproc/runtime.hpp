#ifndef ORDERPROC_RUNTIME_HPP
#define ORDERPROC_RUNTIME_HPP

// What the library needs from outside: clocks, random numbers, and an observer to report to. All of
// them are passed in, so that a test or a simulator can own them.

#include <orderproc/observer.hpp>

#include <chrono>
#include <cstdint>

namespace orderproc {
inline namespace v1 {

// Two clocks. Implementations are safe to call from any thread and must not throw.
class ORDERPROC_EXPORT clock {
public:
    // A point in monotonic time. It cannot be mixed up with a timestamp, which is wall time.
    using instant = std::chrono::time_point<clock, std::chrono::milliseconds>;
    virtual ~clock() = default;
    virtual timestamp now() = 0;      // wall time in UTC, for what is stored
    virtual instant monotonic() = 0;  // for waiting: it never steps and has an arbitrary start
};

// Safe to call from any thread. Uniform 64-bit numbers; need not be unpredictable.
class ORDERPROC_EXPORT random_source {
public:
    virtual ~random_source() = default;
    virtual std::uint64_t next() = 0;
};

// References to what the caller owns: all of it must outlive everything that was given the runtime.
struct runtime {
    clock& time;
    random_source& random;
    orderproc::observer& observer;
};

// The system's clocks, a xoshiro256** generator for each thread (prng.di.unimi.it), and an observer
// that ignores everything. A thread's generator is seeded at its first use, so a process that forks
// must do so before it.
ORDERPROC_EXPORT runtime system_runtime() noexcept;
ORDERPROC_EXPORT runtime system_runtime(observer& observer) noexcept;

}  // namespace v1
}  // namespace orderproc

#endif
