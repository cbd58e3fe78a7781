#ifndef ORDERPROC_PROCESSOR_HPP
#define ORDERPROC_PROCESSOR_HPP

// The application's own work on an order.

#include <orderproc/order.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

namespace orderproc {
inline namespace v1 {

struct advance {
    std::string event;  // resolved by the status machine; one that it refuses fails the order
};
struct retry_later {
    std::string reason;
    std::optional<std::chrono::milliseconds> delay;  // none: the retry policy's
};
struct give_up {
    std::string reason;
};
using verdict = std::variant<advance, retry_later, give_up>;

// One leased order. Move-only; finish it once, from any thread, whenever the work is
// done, even after the worker is gone (then it is ignored). Destroyed unfinished it
// counts as retry_later.
class ORDERPROC_EXPORT job {
public:
    struct ORDERPROC_HIDDEN state;
    explicit job(std::shared_ptr<state> shared) noexcept;  // workers make them
    job(job&&) noexcept;
    job& operator=(job&&) noexcept;
    ~job();

    const order& value() const noexcept;      // as claimed
    std::string_view stage() const noexcept;  // the active status: which work this is
    std::uint32_t attempt() const noexcept;   // 1 the first time
    // Order id and stage: the same at every attempt. Pass it on to what you call, since a
    // processor may run more than once.
    std::string_view idempotency_key() const noexcept;
    // W3C Trace Context of the request that brought the order here; empty: none.
    std::string_view traceparent() const noexcept;
    std::stop_token stop() const noexcept;  // time-out, lost lease or shutdown
    void finish(verdict outcome) &&;

private:
    std::shared_ptr<state> state_;
};

// The one interface that applications write every day. Called on the worker's thread;
// must not block it for long. May throw: an exception is a retry_later with its text.
class ORDERPROC_EXPORT processor {
public:
    virtual ~processor() = default;
    virtual void start(job work) = 0;

    // How many jobs it can work on now, beside worker_options::in_flight_max; a worker asks before
    // each claim. An attempt is timed from start(), so a job that would only wait is better left
    // for other workers. The number may change: what a stopped job still occupies should not be
    // counted, and when such a job is finished or destroyed its worker asks again.
    virtual std::size_t capacity() const noexcept {
        return std::numeric_limits<std::size_t>::max();
    }
};

// A plain function, run on a pool of that many threads (at least 1). capacity() is the number of
// threads that are not held up by a job that was stopped, so no attempt waits for a thread while
// its time runs. An exception is a retry_later. The destructor waits for running jobs and abandons
// queued ones; it does not request stop.
ORDERPROC_EXPORT std::unique_ptr<processor> make_processor(
    std::function<verdict(const order&, std::stop_token)> work, std::size_t threads);

}  // namespace v1
}  // namespace orderproc

#endif
