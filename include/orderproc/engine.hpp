#ifndef ORDERPROC_ENGINE_HPP
#define ORDERPROC_ENGINE_HPP

// Turns what many callers ask for into few transactions: group commit of whatever is
// waiting, without ever waiting for more (as leveldb's BuildBatchGroup does).

#include <orderproc/command.hpp>
#include <orderproc/repository.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace detail {
class engine_queue;
// Links a request into the engine's queue, so that submitting allocates nothing.
struct engine_node {
    enum class kind : std::uint8_t { command, change, claim, cursor, record, purge };
    engine_node* next = nullptr;
    std::uint64_t order_hash = 0;  // of a change; 0: none
    std::uint64_t key_hash = 0;    // of its idempotency key, or a cursor's or a record's name
    kind is = kind::command;
    std::vector<std::uint64_t> value_hashes;  // of values that no other order may have
};
}  // namespace detail

// One command or change under way. Must stay alive until complete() was called: what was
// submitted cannot be taken back. May be submitted again from within complete() or after it.
class ORDERPROC_EXPORT completion : private detail::engine_node {
public:
    // Called exactly once, with no engine lock held, on the thread that runs the engine:
    // be quick. The outcome may be moved from.
    virtual void complete(change_outcome& outcome) noexcept = 0;

protected:
    completion() = default;
    virtual ~completion() = default;
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;

private:
    friend class engine;
    friend class detail::engine_queue;
    change what_;
};

// The same for a claim.
class ORDERPROC_EXPORT claim_completion : private detail::engine_node {
public:
    virtual void complete(error_code ec, claim_outcome& outcome) noexcept = 0;

protected:
    claim_completion() = default;
    virtual ~claim_completion() = default;
    claim_completion(const claim_completion&) = delete;
    claim_completion& operator=(const claim_completion&) = delete;

private:
    friend class engine;
    friend class detail::engine_queue;
    claim what_;
};

// The same for a cursor move. outcome.ec is that of the whole write if that failed.
class ORDERPROC_EXPORT cursor_completion : private detail::engine_node {
public:
    virtual void complete(const cursor_outcome& outcome) noexcept = 0;

protected:
    cursor_completion() = default;
    virtual ~cursor_completion() = default;
    cursor_completion(const cursor_completion&) = delete;
    cursor_completion& operator=(const cursor_completion&) = delete;

private:
    friend class engine;
    friend class detail::engine_queue;
    commit_cursor what_;
};

// The same for a change of a record.
class ORDERPROC_EXPORT record_completion : private detail::engine_node {
public:
    virtual void complete(record_outcome& outcome) noexcept = 0;

protected:
    record_completion() = default;
    virtual ~record_completion() = default;
    record_completion(const record_completion&) = delete;
    record_completion& operator=(const record_completion&) = delete;

private:
    friend class engine;
    friend class detail::engine_queue;
    change_record what_;
};

// The same for a purge. outcome.ec is that of the whole write if that failed.
class ORDERPROC_EXPORT purge_completion : private detail::engine_node {
public:
    virtual void complete(const purge_outcome& outcome) noexcept = 0;

protected:
    purge_completion() = default;
    virtual ~purge_completion() = default;
    purge_completion(const purge_completion&) = delete;
    purge_completion& operator=(const purge_completion&) = delete;

private:
    friend class engine;
    friend class detail::engine_queue;
    purge_orders what_;
};

// Told after each commit that made a journal entry, on the thread that runs the engine, before
// the completions of that commit, and by wake(). Must not block.
class ORDERPROC_EXPORT commit_listener {
public:
    virtual void committed() noexcept = 0;

protected:
    virtual ~commit_listener() = default;
};

struct engine_options {
    std::size_t queue_max = 8192;  // commands that wait, at least 1; beyond it errc::overloaded
    std::size_t batch_max = 512;   // changes in a transaction, 1 to 65,536
    // Each has a writer connection of its own: at most storage_info::writers_max. 0: the host calls
    // run_once(), on one thread at a time.
    std::size_t threads = 1;
    // A write whose outcome is unknown is asked for this often (was_applied, on a new
    // connection), with growing pauses; then it is reported as errc::outcome_unknown.
    std::size_t resolve_attempts = 10;
    // How long an idempotency key is good for; then it is forgotten, a few at each write.
    std::chrono::milliseconds keys_kept = std::chrono::hours(72);
    // Also call the listeners, within some 50 ms, for what other processes commit, if the storage
    // can tell (storage::watch()). Takes a thread, which sleeps until then.
    bool watch_others = false;
    // With 0 threads: called, from any thread, when run_once() has something to do; not while it
    // runs, nor again before it has run. Must not throw.
    std::function<void()> on_ready = {};
};

// Safe to use from any thread, except where noted. A storage that fails is reported to those
// whose write failed (errc::unavailable: nothing was written) and connected to again at the
// next batch.
class ORDERPROC_EXPORT engine {
public:
    // All of them must outlive the engine. Throws std::invalid_argument, naming the option, if an
    // option is out of range, or if the model has indexes and the storage does not.
    engine(storage& orders, const status_machine& machine, const order_model& model,
           orderproc::runtime with, engine_options options = {});
    // The same with the standard model.
    engine(storage& orders, const status_machine& machine, orderproc::runtime with,
           engine_options options = {});
    engine(storage&, const status_machine&&, orderproc::runtime, engine_options = {}) = delete;
    engine(storage&, const status_machine&&, const order_model&, orderproc::runtime,
           engine_options = {}) = delete;
    engine(storage&, const status_machine&, const order_model&&, orderproc::runtime,
           engine_options = {}) = delete;
    // stop(), then waits until all that was accepted is committed and answered: on the engine's
    // threads, or on this one if it has none. REQUIRES: not on a thread that runs the engine.
    ~engine();

    // Lowers the command and queues it. Refused before queueing (what lower() refuses,
    // overloaded, stopped) it returns the error and never calls done.
    result<void> submit(command what, completion& done);
    // The same with a function, which the engine copies: for a host without an event loop. done is
    // called exactly once, as completion::complete() is, and must not throw.
    result<void> submit(command what, std::function<void(change_outcome&)> done);

    // Submits many, in their order, each of which succeeds or is refused on its own. done is called
    // once, with an outcome for each in the same order, and must not throw: as complete() is, or
    // before submit_all() returns if none of them is left to wait for. What submit() refuses comes
    // back as an outcome, with the failure's code and detail; so those that do not fit into the
    // queue are errc::overloaded, and of one without memory errc::unavailable says that nothing was
    // done.
    void submit_all(std::vector<command> what,
                    std::function<void(std::vector<change_outcome>)> done);

    // For holders of a lease: finishing, renewing and releasing is never shed. It is refused once
    // the engine is stopped, and with errc::invalid_argument if validate() refuses the change.
    result<void> submit(change what, completion& done);
    result<void> submit(claim what, claim_completion& done);
    // Cursor commits are never shed either. errc::lease_lost in the outcome: another owner holds
    // the cursor.
    result<void> submit(commit_cursor what, cursor_completion& done);
    // Neither are changes of records. errc::invalid_argument if validate() refuses the change;
    // errc::not_supported if the storage has no records.
    result<void> submit(change_record what, record_completion& done);
    // Nor purges, of which a batch has one. What is younger than engine_options::keys_kept stays,
    // whatever `before` says. errc::invalid_argument and errc::not_supported as above.
    result<void> submit(purge_orders what, purge_completion& done);

    // Submits and waits; runs the engine itself if it has no threads. What submit() refuses comes
    // back as an outcome, with the failure's code and detail.
    // REQUIRES: not on a thread that runs the engine.
    change_outcome execute(command what);
    // The same for many: see submit_all().
    std::vector<change_outcome> execute_all(std::vector<command> what);

    // One batch; how much it carried: 0 means that nothing was waiting, or that it is too early to
    // ask again for a write whose outcome is unknown. Two requests on one order, idempotency key,
    // cursor or record never share a batch: the second waits for the next.
    // REQUIRES: options.threads is 0; not from within a completion or listener.
    result<std::size_t> run_once();
    // When to call it again, by clock::monotonic(): see runnable.hpp.
    // REQUIRES: as run_once().
    clock::instant next_due() const noexcept;

    // Somebody else committed: workers and feed readers look again.
    void wake() noexcept;
    void add_listener(commit_listener& who);
    void remove_listener(commit_listener& who) noexcept;  // afterwards it is not called again

    // Accepts nothing more; what was accepted is still committed: by the engine's threads, or by
    // run_once() and, at the latest, the destructor. Returns at once. Idempotent. May be called
    // from within a completion or listener.
    void stop() noexcept;

    const status_machine& machine() const noexcept;
    const order_model& model() const noexcept;
    orderproc::runtime& runtime() const noexcept;
    std::size_t queued() const noexcept;  // commands and all else that waits; for metrics

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
