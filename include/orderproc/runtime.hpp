#ifndef ORDERPROC_RUNTIME_HPP
#define ORDERPROC_RUNTIME_HPP

// What the library needs from outside: time, chance, and somebody to tell. All of
// it passed in, so that a test or a simulator owns it.

#include <orderproc/order.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

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

struct batch_report {
    std::size_t changes = 0;  // asked for, whatever became of them
    std::size_t claims = 0;
    std::chrono::microseconds write_time{0};  // by the steady clock of the system
    error_code ec;                            // of the write as a whole
};

enum class attempt_outcome : std::uint8_t { advanced, retried, gave_up, timed_out, released };

struct attempt_report {
    std::string_view order;
    std::string_view stage;  // the active status
    std::uint32_t attempt = 0;
    attempt_outcome outcome = attempt_outcome::advanced;
    std::string_view reason;
    std::chrono::milliseconds duration{0};
};

// Told what happens. Called with no lock held, from whatever thread it happens on, so
// implementations are thread-safe; must not block or throw. Everything has an empty default,
// so later additions never break an implementation.
class ORDERPROC_EXPORT observer {
public:
    virtual ~observer() = default;
    virtual void batch_written(const batch_report&) noexcept {}
    virtual void transition_committed(const order& /*after*/, std::string_view /*event*/) noexcept {
    }
    virtual void orders_claimed(std::size_t /*handed_out*/, std::size_t /*lapsed*/,
                                std::size_t /*exhausted*/) noexcept {}
    virtual void attempt_finished(const attempt_report&) noexcept {}
    virtual void lease_lost(std::string_view /*order*/) noexcept {}
    virtual void trouble(std::string_view /*where*/, const failure&) noexcept {}
};

struct runtime {
    clock& time;
    random_source& random;
    observer& watch;
};

// The system's clocks, a seeded xoshiro256** per thread, nobody to tell. Seeded at a thread's
// first use: a process that forks does so before.
ORDERPROC_EXPORT runtime system_runtime() noexcept;
ORDERPROC_EXPORT runtime system_runtime(observer& watch) noexcept;

}  // namespace v1
}  // namespace orderproc

#endif
