#ifndef ORDERPROC_STAGES_ENGINE_ENGINE_QUEUE_HPP
#define ORDERPROC_STAGES_ENGINE_ENGINE_QUEUE_HPP

// What waits for the engine: a FIFO linked through the requests themselves, and the rule which
// of them may share a batch.

#include "stages/engine/keyed_hash.hpp"

#include <orderproc/engine.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

class engine_list {
public:
    bool empty() const noexcept { return !head_; }
    std::size_t size() const noexcept { return size_; }
    engine_node* front() const noexcept { return head_; }
    void push_back(engine_node& node) noexcept;
    engine_node* pop_front() noexcept;            // nullptr: empty
    void prepend(engine_list&& others) noexcept;  // others becomes empty

private:
    engine_node* head_ = nullptr;
    engine_node* tail_ = nullptr;
    std::size_t size_ = 0;
};

// A set of hashes by open addressing. Two keys with one hash are taken for the same, which
// here only sends one of them to a later batch.
class hash_set {
public:
    explicit hash_set(std::size_t expected);
    bool contains(std::uint64_t hash) const noexcept;
    bool insert(std::uint64_t hash) noexcept;  // false: out of memory
    void clear() noexcept;

private:
    bool grow() noexcept;
    std::vector<std::uint64_t> slots_;  // 0: free. A power of two, at most half full
    std::size_t size_ = 0;
};

// What goes into one transaction.
struct engine_batch {
    engine_list changes, claims, cursors, records, purges;
    bool empty() const noexcept { return size() == 0; }
    std::size_t size() const noexcept {
        return changes.size() + claims.size() + cursors.size() + records.size() + purges.size();
    }
    engine_list& list_of(engine_node::kind is) noexcept;
};

// Safe to use from any thread. Each taker has a number and at most one batch under way.
class engine_queue {
public:
    engine_queue(std::size_t queue_max, std::size_t batch_max, std::size_t takers,
                 random_source& random);

    result<void> push(completion& done, change&& what);
    // What what(done) is already: a command that was lowered, or a change.
    result<void> push(completion& done, engine_node::kind is);
    result<void> push(claim_completion& done, claim&& what);
    result<void> push(cursor_completion& done, commit_cursor&& what);
    result<void> push(record_completion& done, change_record&& what);
    result<void> push(purge_completion& done, purge_orders&& what);

    // The taker is done with its batch and takes the next: what waits now, in order, except for
    // what another request on the same order, unique value, idempotency key, cursor or record is
    // ahead of.
    bool take(std::size_t taker, engine_batch& out) noexcept;        // false: nothing to take
    enum class waited : std::uint8_t { taken, timed_out, drained };  // drained: and stopped
    // Waits without end if there is no limit.
    waited wait_and_take(std::size_t taker, engine_batch& out,
                         std::optional<std::chrono::milliseconds> at_most);

    void stop() noexcept;
    // For that time or, once stopped, only the least.
    void pause(std::chrono::milliseconds time, std::chrono::milliseconds least);
    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

    static completion& change_of(engine_node& node) noexcept;
    static claim_completion& claim_of(engine_node& node) noexcept;
    static cursor_completion& cursor_of(engine_node& node) noexcept;
    static record_completion& record_of(engine_node& node) noexcept;
    static purge_completion& purge_of(engine_node& node) noexcept;
    static change& what(completion& done) noexcept { return done.what_; }
    static claim& what(claim_completion& done) noexcept { return done.what_; }
    static commit_cursor& what(cursor_completion& done) noexcept { return done.what_; }
    static change_record& what(record_completion& done) noexcept { return done.what_; }
    static purge_orders& what(purge_completion& done) noexcept { return done.what_; }

private:
    std::uint64_t hash_of(std::string_view text) const noexcept;
    void hash_values(const change& what, std::vector<std::uint64_t>& out) const;
    result<void> link(engine_node& node);
    bool select(std::size_t taker, engine_batch& out) noexcept;
    bool blocked(std::uint64_t hash) const noexcept;
    bool blocked(const engine_node& node) const noexcept;
    bool claim_sleeper() noexcept;

    const std::size_t queue_max_;
    const std::size_t batch_max_;
    const keyed_hash hash_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::condition_variable stopping_;
    engine_list waiting_;
    std::size_t commands_ = 0;     // of those waiting
    std::vector<hash_set> taken_;  // by each taker: orders, keys, cursors, records under way
    hash_set passed_;              // those of what a selection left where it was
    std::size_t sleeping_ = 0;     // takers
    std::size_t woken_ = 0;        // of them: told so, but not yet running
    bool stopped_ = false;

    std::atomic<std::size_t> size_{0};  // of waiting_, for those who only look
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
