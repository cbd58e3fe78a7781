#ifndef ORDERPROC_RUNNABLE_HPP
#define ORDERPROC_RUNNABLE_HPP

// One loop for all that works: an engine, a worker, a journal_follower, a relay and a
// work_queue_consumer, each with 0 threads, are driven alike. And for programs that end: when is
// there nothing left to do?

#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>

namespace orderproc {
inline namespace v1 {

// run_once() does what can be done now. next_due() is when to call it again, by clock::monotonic():
// it is in the past if there is something to do at once, and clock::instant::max() if there will
// not be before on_ready is called. Both are called on one thread at a time. stop() may be called
// from any thread, and from within a completion, a processor or a stop callback.
template <class T>
concept runnable = requires(T& it, const T& seen) {
    it.run_once();
    { seen.next_due() } -> std::same_as<clock::instant>;
    it.stop();
};

// Gives each its turn whose time has come, in this order, and returns when the next one is due.
// What one does may be work for another: the loop of a host sleeps only if the time is in the
// future.
//
//   while (!over) sleep_until(run_due(time, worker, engine));  // or until on_ready
template <runnable... All>
clock::instant run_due(clock& time, All&... all) {
    const auto turn = [&time](auto& it) {
        if (it.next_due() <= time.monotonic()) (void)it.run_once();
    };
    (turn(all), ...);
    return std::min({clock::instant::max(), all.next_due()...});
}

// Is no order in the waiting or the active status of any stage? What waits for its next attempt is
// not idle, however far ahead that is. A failure is the connection's.
ORDERPROC_EXPORT result<bool> is_idle(repository_reader& from, const status_machine& machine);

// Blocks until is_idle(), for programs that submit their orders and end when all are settled. Looks
// after each commit of the engine and, for what other processes commit, every second. False: it was
// not idle in that time. A failure is that of the last look; it looks again until the time is over.
// REQUIRES: not on a thread that runs the engine, which has threads of its own.
ORDERPROC_EXPORT result<bool> wait_until_idle(engine& orders, reader& from,
                                              std::chrono::milliseconds at_most);

}  // namespace v1
}  // namespace orderproc

#endif
