#ifndef ORDERPROC_WORKER_HPP
#define ORDERPROC_WORKER_HPP

// Claims, hands jobs to a processor, commits the verdicts.

#include <orderproc/engine.hpp>
#include <orderproc/processor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct retry_policy {
    std::uint32_t attempts_max = 20;
    std::chrono::milliseconds base = std::chrono::seconds(2);  // doubles with each attempt
    std::chrono::milliseconds cap = std::chrono::hours(1);
    double jitter = 0.2;  // of the delay, up or down, so that what failed together spreads
};

struct worker_options {
    // At most 64 bytes of UTF-8 without control characters; empty: host, process and a random part.
    std::string worker_id = {};
    // The stages that it works on, by their active status; empty: all of the machine.
    std::vector<order_status> stages = {};
    std::size_t in_flight_max = 1024;
    std::chrono::milliseconds lease = std::chrono::seconds(30);         // renewed at a third
    std::chrono::milliseconds timeout = std::chrono::minutes(5);        // of one attempt
    std::chrono::milliseconds poll_interval = std::chrono::seconds(1);  // for what others left
    // Whether to look for work after each commit of the engine. If not, only polling, orders that
    // fall due, and hint() start work: for a worker that a work_queue_consumer wakes.
    bool wake_on_commit = true;
    retry_policy retry = {};
    // 0: the host calls run_once(), on one thread at a time. Else 1.
    std::size_t threads = 1;
    // With 0 threads: called, from any thread, when run_once() has something to do; not while
    // it runs, nor again before it has run. Must not throw.
    std::function<void()> on_ready = {};
    // How often it writes a record about itself, see worker_record.hpp: once it has started, then
    // at this interval, and when it begins to drain. 0: it keeps none. At least 1 s, and less than
    // worker_record::silent_after; needs capability::records.
    std::chrono::milliseconds record_every{0};
    // What the record says of the program, its version say: at most 64 bytes, as worker_id.
    std::string program = {};
};

struct cycle_report {
    std::size_t claimed = 0, advanced = 0, retried = 0, failed = 0, lease_lost = 0;
    std::size_t in_flight = 0;    // orders held; after stop(), claims under way as well
    clock::instant next_due;      // nothing to do before this unless on_ready is called
    std::size_t handed_over = 0;  // by answer_later
};

// Works on the stages of the engine's machine. Installs no signal handler, reads no
// environment, writes to no stream. Safe to use from any thread, except where noted.
class ORDERPROC_EXPORT worker {
public:
    // Both outlive the worker. Jobs may outlive it: what they say then is ignored.
    worker(engine& orders, processor& work, worker_options options = {});
    // stop() with no time to drain; with 0 threads the releases are submitted, not waited for.
    // REQUIRES: not on the worker's thread, nor on one that runs the engine.
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    // Does all that can be done now without blocking: takes verdicts in, commits them,
    // renews leases, ends attempts that timed out, claims and starts.
    // REQUIRES: options.threads is 0, after start().
    cycle_report run_once();
    // As that said last, or in the past if there has come something to do since: see runnable.hpp.
    clock::instant next_due() const noexcept;

    // errc::invalid_argument for options out of range, or a stage that the machine does not have.
    result<void> start();

    // Names orders that may be waiting for work in that stage of the machine. The worker claims
    // those that are, as places become free and between polls. done is called on the worker's
    // thread with how many more of the ids, from the first on, are settled: durably claimed, or
    // found not to be waiting. It is not called after the worker stops, and must not block or
    // throw. The caller bounds how many ids are outstanding. Ids of a stage that this worker does
    // not work on are settled at once. REQUIRES: after start().
    void hint(const work_stage& stage, std::vector<std::string> ids,
              std::function<void(std::size_t)> done);

    // Claims no more; jobs may finish until the deadline, the rest are asked to stop, released
    // at once, and get their attempt back. Returns when all of that is committed; what is not
    // 5 s after the deadline is left to the end of its lease. With 0 threads it returns at once,
    // and run_once() drains until in_flight is 0. Idempotent; a shorter drain wins.
    //
    // Called on the worker's own thread, as from processor::start() or a stop callback, it returns
    // at once as well, and the thread drains afterwards. On a thread that runs the engine it would
    // wait for itself: REQUIRES: not there, unless the worker has 0 threads.
    void stop(std::chrono::milliseconds drain = {});

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
