#ifndef ORDERPROC_FEED_HPP
#define ORDERPROC_FEED_HPP

// The journal as it grows, for many subscribers at once: each entry is read once, however many of
// them get it. How it is sent on is the host's choice: WebSocket, gRPC, server-sent events.

#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// Which entries of the journal a subscriber gets: those that match all that is given.
struct feed_filter {
    std::vector<order_id> orders = {};  // of these orders; empty: of any
    order_scope scope = {};             // of the orders as they are after the change
    // The order has one of these statuses after the change; empty: any. The deletion of an order
    // matches no status.
    std::vector<order_status> statuses = {};
    std::vector<std::string> events = {};  // "create", "delete", …; empty: any
};

ORDERPROC_EXPORT bool matches(const feed_filter& filter, const journal_entry& it) noexcept;
ORDERPROC_EXPORT bool matches_everything(const feed_filter& it) noexcept;

struct feed_request {
    feed_filter filter = {};
    // The subscriber gets what comes after this position, which {} makes the whole journal. none:
    // it starts at the end of the journal, and the first part that it gets is a start, which says
    // where that was.
    std::optional<feed_position> after = {};
    // The subscription ends with the entry that settles or deletes the order. Needs a filter with
    // exactly one order. An order that is not there yet is waited for. But if the journal begins
    // behind the position (also behind {}) and has nothing of the order, it may have been purged:
    // the subscription ends with a reset.
    bool until_settled = false;
};

// What a subscriber is given. Immutable and shared with other subscribers, so a copy is cheap and
// may go to another thread.
struct feed_part {
    enum class kind : std::uint8_t {
        entries,
        start,  // see feed_request::after
        // The position asked for is not in the journal (feed_page::reset), or no longer: what was
        // built from entries is to be dropped and read again. The subscription continues after
        // `position`, with the first entry that is kept.
        reset,
    };
    kind is = kind::entries;
    // Subscribe after this position to continue behind this part.
    feed_position position;
    std::span<const journal_entry> entries;  // of kind entries, without live_feed_options::encode…
    std::string_view text;                   // …and with it: what that made of them
    std::shared_ptr<const void> owner;       // keeps entries and text alive
    std::size_t size = 0;                    // about how many bytes of memory it takes
};

// Told that a subscription has something to take.
class ORDERPROC_EXPORT feed_listener {
public:
    // Make take() be called soon. Called with no lock held on the feed's thread, or the one that
    // calls run_once(); must not block. May be called before subscribe() has returned and although
    // nothing is left to take. May call take() and destroy subscriptions, this one too.
    virtual void ready() noexcept = 0;

protected:
    virtual ~feed_listener() = default;
};

enum class feed_state : std::uint8_t {
    open,     // ready() will be called when there is more
    ended,    // feed_request::until_settled: everything was taken
    dropped,  // more than live_feed_options::buffer_max waited. Nothing more will come: subscribe
              // again after the last part that was taken
};

// One subscriber's place in the journal. Destroying it ends the subscription: afterwards ready() is
// not called again. It waits for a call under way, but not for one that this thread is inside of.
class ORDERPROC_EXPORT feed_subscription {
public:
    virtual ~feed_subscription() = default;
    // Appends what waits, in the order of the journal: about bytes_max bytes and at most parts_max
    // parts, but one part of any size. Never blocks. If the result is open and something was
    // appended, more may be waiting: ready() is called only for what comes later.
    virtual feed_state take(std::vector<feed_part>& out, std::size_t bytes_max,
                            std::size_t parts_max) = 0;
    // Everything up to this position that matches was offered: asked for before a take() that left
    // nothing behind, it was taken. It moves on also where nothing matches. None: the subscription
    // has not started, or was dropped.
    virtual std::optional<feed_position> offered() const { return {}; }

protected:
    feed_subscription() = default;
    feed_subscription(const feed_subscription&) = delete;
    feed_subscription& operator=(const feed_subscription&) = delete;
};

struct live_feed_options {
    std::size_t threads = 1;      // 0: the host calls run_once(), on one thread at a time. Else 1
    std::size_t page_size = 512;  // entries read at once for all subscribers, 1 to 65,536…
    std::size_t step_size = 128;  // …and for one that is behind the others, 1 to 65,536
    // Bytes that wait for one subscriber, at least 1; beyond it, it is dropped. One that is behind
    // the others is not: it is given another step_size entries when less than a sixteenth waits.
    std::size_t buffer_max = std::size_t{4} * 1024 * 1024;
    // About so many bytes of what was read for subscribers that are behind are kept for others that
    // come to the same place within a second. 0: only those that are there already get it.
    std::size_t shared_max = std::size_t{8} * 1024 * 1024;
    // The least time between two reads for all: a busy journal comes in pages. 0: none.
    std::chrono::milliseconds rest{10};
    // How often to look for entries without being notified of a commit; more than 0.
    std::chrono::milliseconds poll_interval{200};
    std::chrono::milliseconds retry{500};  // until the storage, which failed, is asked again
    // Appends what subscribers get of an entry in place of the entry itself: JSON, say. Called at
    // most once for each entry and read, however many subscribers get it, on the feed's thread
    // with a lock held: it must not use the feed. It must throw nothing but std::bad_alloc.
    std::function<void(const journal_entry&, std::string&)> encode = {};
    // With 0 threads: called, from any thread, when run_once() has something to do; at most once
    // before the next run_once(). Must not throw.
    std::function<void()> on_ready = {};
};

// A subscriber that is behind is given the journal, or its order's history, one step at a time and
// in turn with the others, until it has what they have. A step of the journal is read once for all
// that have come to its part of the journal. It was read after each of them subscribed. From then
// on, entries are offered to all whose filters match as they are committed. A subscriber whose
// filter does not match costs memory alone, and nothing is read while there are no subscribers.
// Entries are delivered at least once across subscriptions, and exactly once within one.
//
// Safe to use from any thread, except where noted. A storage that fails is reported
// (observer::error(), "live_feed") and asked again.
class ORDERPROC_EXPORT live_feed {
public:
    // Both must outlive it. It uses one connection of the reader at a time, and must not wait for
    // others: give it a reader of its own. Throws std::invalid_argument, naming the option, if an
    // option is out of range.
    live_feed(engine& orders, reader& reads, live_feed_options options = {});
    ~live_feed();  // REQUIRES: all subscriptions are destroyed.

    // Returns at once; entries come later. who must outlive the subscription, which must be
    // destroyed before the feed. errc::invalid_argument: until_settled without exactly one order.
    result<std::unique_ptr<feed_subscription>> subscribe(feed_request what, feed_listener& who);
    std::size_t subscriptions() const noexcept;

    // Reads one page for all subscribers, and one step for one that is behind. True: there is more
    // to do at once. REQUIRES: options.threads is 0.
    bool run_once();
    // When to call it again, by clock::monotonic(): see runnable.hpp. REQUIRES: as run_once().
    clock::instant next_due() const noexcept;

    // Reads nothing more. What was read can still be taken. Returns at once. Idempotent.
    void stop() noexcept;

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
