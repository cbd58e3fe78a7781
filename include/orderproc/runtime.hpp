#ifndef ORDERPROC_RUNTIME_HPP
#define ORDERPROC_RUNTIME_HPP

// What the library needs from outside: time, chance, and somebody to tell. All of
// it passed in, so that a test or a simulator owns it.

#include <orderproc/observer.hpp>

#include <chrono>
#include <cstdint>

namespace orderproc {
inline namespace v1 {

// Safe to call from any thread.
class ORDERPROC_EXPORT clock {
public:
    using instant = std::chrono::sys_time<std::chrono::milliseconds>;
    virtual ~clock() = default;
    virtual timestamp now() = 0;      // for what is stored: UTC
    virtual instant monotonic() = 0;  // for waiting: never steps; since an arbitrary start
};

// Safe to call from any thread. Uniform 64-bit numbers; need not be unpredictable.
class ORDERPROC_EXPORT random_source {
public:
    virtual ~random_source() = default;
    virtual std::uint64_t next() = 0;
};

struct runtime {
    clock& time;
    random_source& random;
    orderproc::observer& observer;
};

// The system's clocks, a seeded xoshiro256** per thread, nobody to tell. Seeded at a thread's
// first use: a process that forks does so before.
ORDERPROC_EXPORT runtime system_runtime() noexcept;
ORDERPROC_EXPORT runtime system_runtime(observer& observer) noexcept;

}  // namespace v1
}  // namespace orderproc

#endif
