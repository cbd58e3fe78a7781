#ifndef ORDERPROC_PROCESSOR_HPP
#define ORDERPROC_PROCESSOR_HPP

// The application's own work on an order.

#include <orderproc/change.hpp>
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
// The work goes on elsewhere, for minutes or days: the order stays leased, with no worker that
// holds it, until somebody who was given job::reference() answers it (answer_attempt(),
// attempt.hpp). If nobody has within the time-out, which is at least 1 ms and at most a year, the
// attempt has failed and the order is tried again, as after any lease that ended.
struct answer_later {
    std::chrono::milliseconds timeout;
};
using verdict = std::variant<advance, retry_later, give_up, answer_later>;

// Names one attempt. The lease is the fence: once the attempt is over, by whatever, nobody can
// answer it any more. It is a number that can be guessed, so a host that gives it to others has to
// make sure that they give back what they were given (by a signature, say).
struct attempt_reference {
    std::string order;  // its id
    lease_token lease{0};
    order_status stage;        // the active status
    std::uint32_t number = 0;  // job::attempt()
    friend bool operator==(const attempt_reference&, const attempt_reference&) = default;
};

// What somebody who was handed the work may say. An advance without an event means the stage's
// status_machine::default_way_out().
struct extend_attempt {
    std::chrono::milliseconds timeout;  // from now on, as that of answer_later
};
using attempt_answer = std::variant<advance, retry_later, give_up, extend_attempt>;

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
    attempt_reference reference() const;      // for answer_later
    // Order id and stage: the same at every attempt. Pass it on to what you call, since a
    // processor may run more than once.
    std::string_view idempotency_key() const noexcept;
    // W3C Trace Context of the request that brought the order here; empty: none.
    std::string_view traceparent() const noexcept;
    // Stop is requested when the attempt timed out, when the lease was lost, and at a shutdown
    // once the time to drain is over. What the job says afterwards is ignored.
    //
    // A std::stop_callback runs on the worker's thread: with worker_options::threads 0, on the
    // thread that is in run_once(). If stop was requested before, it runs at once on the thread
    // that registers it. No lock is held. It may finish() or destroy this job. It must not throw,
    // which would end the process, nor block: meanwhile the worker renews no lease and starts no
    // job, and an engine that the same thread runs commits nothing.
    std::stop_token stop() const noexcept;
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

// A plain function, run on a pool of that many threads (at least 1). It does not see the job, so
// answer_later is for processors that do. capacity() is the number of
// threads that are not held up by a job that was stopped, so no attempt waits for a thread while
// its time runs. An exception is a retry_later. The destructor waits for running jobs and abandons
// queued ones; it does not request stop.
ORDERPROC_EXPORT std::unique_ptr<processor> make_processor(
    std::function<verdict(const order&, std::stop_token)> work, std::size_t threads);

}  // namespace v1
}  // namespace orderproc

#endif
