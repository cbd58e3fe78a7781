#ifndef ORDERPROC_READ_POOL_HPP
#define ORDERPROC_READ_POOL_HPP

// Reads orders without blocking the caller. The reads run on threads and connections of the
// pool's own, so a slow storage never holds up an event loop.

#include <orderproc/repository.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace orderproc {
inline namespace v1 {

namespace detail {
// Links a read into the queue of its lane, so that submitting allocates nothing.
struct read_node {
    read_node* next = nullptr;
    read_node* previous = nullptr;
    bool waiting = false;  // it is in the queue; guarded by the lane's lock
};
}  // namespace detail

struct loaded_order {
    std::optional<order> found;  // none: there is no such order
    feed_position newest;        // what comes after it is not in what was read
};

// One read of an order by its id. Must stay alive until complete() was called or cancel()
// returned true. May be submitted again from within complete() or after it.
class ORDERPROC_EXPORT load_completion : private detail::read_node {
public:
    // Called exactly once, with no lock held, on a thread of the pool (or the one that calls
    // run_once()): be quick. The outcome may be moved from.
    virtual void complete(result<loaded_order>& outcome) noexcept = 0;

protected:
    load_completion() = default;
    virtual ~load_completion() = default;
    load_completion(const load_completion&) = delete;
    load_completion& operator=(const load_completion&) = delete;

private:
    friend class read_pool;
    std::string id_;
};

// One read of anything else: a list, a history, a page of the feed. The same rules apply.
class ORDERPROC_EXPORT read_completion : private detail::read_node {
public:
    // Called at most once, on a thread of the pool, with a connection that nobody else uses
    // meanwhile. May block, and may throw. It must not submit to the pool and wait for that.
    virtual result<void> read(repository_reader& from) = 0;
    // Called exactly once after it: with what read() returned, or with why it was not called.
    virtual void complete(result<void>& outcome) noexcept = 0;

protected:
    read_completion() = default;
    virtual ~read_completion() = default;
    read_completion(const read_completion&) = delete;
    read_completion& operator=(const read_completion&) = delete;

private:
    friend class read_pool;
};

struct read_pool_options {
    // Threads for reads other than those by id, each with a connection of its own. One more
    // thread carries out the reads by id. 0: no threads; the host calls run_once().
    std::size_t threads = 2;
    // Reads by id that wait, and as many others. Beyond it submit() returns errc::overloaded.
    std::size_t queue_max = 1024;
    // Orders that one repository_reader::load() reads at most.
    std::size_t merge_max = 128;
    // Whether that one more thread is there. If not, whoever submits a read by id sees to it that
    // load_waiting() is called, by a thread that may block: this saves waking another one.
    bool load_thread = true;
};

// Two lanes, which never wait for each other. Reads by id that wait are merged into one
// repository_reader::load(), which costs little more than one of them alone; if a merged load fails
// with anything but errc::unavailable, each id is read by itself, so that one corrupt order does
// not fail the others. All other reads are carried out one by one, oldest first.
//
// A read sees every write that was answered before it was submitted. What a storage throws is
// reported as std::errc::state_not_recoverable with the text of the exception. Connections are
// opened when first needed and replaced after errc::unavailable, as a reader does it.
//
// Safe to use from any thread.
class ORDERPROC_EXPORT read_pool {
public:
    explicit read_pool(storage& orders, read_pool_options options = {});  // orders outlives it
    // Waits for the reads under way; those that still wait complete with errc::stopped.
    // REQUIRES: nobody submits any more, and it is not called on a thread of the pool.
    ~read_pool();

    // Queues the read. If it is refused (errc::overloaded), the error is returned and complete()
    // is never called.
    result<void> submit(std::string id, load_completion& done);
    result<void> submit(read_completion& done);

    // Takes back a read that still waits. True: it is not carried out, and complete() is not
    // called. False: it is under way or complete; then complete() is called as always.
    bool cancel(load_completion& it) noexcept;
    bool cancel(read_completion& it) noexcept;

    // Carries out the reads by id that wait, until none does. Returns at once if another thread
    // is at it: that one carries out what was submitted before this call as well.
    // REQUIRES: options.load_thread is false; not from within a completion.
    void load_waiting();
    bool loads_when_called() const noexcept;  // options.load_thread is false

    // Carries out the reads by id that wait, as far as they fit into one load(), and one other
    // read. Returns how many reads that were; 0: none waited.
    // REQUIRES: options.threads is 0; on one thread at a time; not from within a completion.
    std::size_t run_once();

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
