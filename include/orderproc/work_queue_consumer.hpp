#ifndef ORDERPROC_WORK_QUEUE_CONSUMER_HPP
#define ORDERPROC_WORK_QUEUE_CONSUMER_HPP

// Wakes a worker by messages. The database is the truth: a message is the name of an order that
// may wait for work, and nothing in it but its topic and key is looked at.

#include <orderproc/queue.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace orderproc {
inline namespace v1 {

// The queue of what creates work under a machine: orders made, and moves into a waiting status
// other than a worker's release. Beyond 100,000 messages the oldest are dropped: polling covers
// them.
ORDERPROC_EXPORT queue_declaration work_queue(const status_machine& machine,
                                              std::string name = "orderproc.work");
// The same for one of the machine's stages, by its active status: for a worker of that stage alone.
ORDERPROC_EXPORT queue_declaration work_queue(const status_machine& machine, order_status active,
                                              std::string name);

struct work_queue_options {
    std::string queue = "orderproc.work";
    // Whose queue it is, as in work_queue(): that of one stage, or, if there is none, of all.
    std::optional<order_status> stage = {};
    std::string poison_queue = "orderproc.poison";  // as in consumer_params
    std::size_t prefetch = 256;                     // messages whose orders are not claimed yet
    // 0: the host calls run_once(), on one thread at a time. Else 1.
    std::size_t threads = 1;
    // As in worker_options.
    std::function<void()> on_ready = {};
};

struct work_queue_report {
    bool connected = false;
    std::size_t received = 0, acknowledged = 0, refused = 0;
    std::size_t unacknowledged = 0;  // named to the worker, not claimed yet
    clock::instant next_due;  // nothing to do before this unless on_ready is called; messages
                              // come without a call
};

// Hints the orders that messages name to the worker, and acknowledges a message once the claim of
// its order has committed, so that a crash before that delivers it again. Stale messages are
// acknowledged. Unrecognised messages go to the poison queue. While the worker is full nothing is
// acknowledged, so the broker sends nothing more. Reconnects by itself; meanwhile the worker finds
// its work by polling. Safe to use from any thread, except where noted.
class ORDERPROC_EXPORT work_queue_consumer {
public:
    // All arguments must outlive this object. Set worker_options::wake_on_commit to false; a
    // poll_interval of 5 s is enough.
    work_queue_consumer(engine& orders, worker& works, broker& from,
                        work_queue_options options = {});
    ~work_queue_consumer();  // stop(). REQUIRES: not on the consumer's thread
    work_queue_consumer(const work_queue_consumer&) = delete;
    work_queue_consumer& operator=(const work_queue_consumer&) = delete;

    // Takes what has arrived and acknowledges what is claimed, without waiting. Does not throw: an
    // exception is reported to the observer, and the connection is made anew.
    // REQUIRES: options.threads is 0, after start().
    work_queue_report run_once();
    // As that said last, or in the past if there has come something to do since: see runnable.hpp.
    clock::instant next_due() const noexcept;

    // REQUIRES: the worker has started. errc::invalid_argument for options out of range.
    result<void> start();

    // Takes no more messages; those not yet acknowledged come again, here or to others. With 0
    // threads run_once() must not be under way. Idempotent. Stop the consumer before its worker.
    // Returns when the consumer's thread has ended, but at once on that thread.
    void stop();

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
