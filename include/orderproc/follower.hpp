#ifndef ORDERPROC_FOLLOWER_HPP
#define ORDERPROC_FOLLOWER_HPP

// Hands every entry of the journal to a handler, in order and at least once. The storage keeps the
// position under a name, and one owner at a time holds it: any number of processes may run a
// follower of the same cursor. One of them leads; when it stops or dies, another one continues.

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

namespace orderproc {
inline namespace v1 {

// What became of the first entry that a handler did not handle.
enum class entry_outcome : std::uint8_t {
    untried,     // nothing: it is handed over again at once
    not_now,     // nothing is wrong with it: it is tried again, for as long as it takes
    failed,      // a failed try: it is given up after follower_options::tries of them
    impossible,  // no try can succeed: it is given up at once
};

struct follow_answer {
    // So many entries are handled, from the first on: the cursor moves past them. More than there
    // were counts as all of them. Of a handler that handled none, untried is a failed try.
    std::size_t handled = 0;
    entry_outcome next = entry_outcome::untried;  // of the entry after those, if there is one
    // Why, for people. That of a failed try is in the report if the entry is given up. That of
    // not_now is reported when it is another one than before, unless it is empty
    // (observer::error(), "follower.not_now").
    std::string reason = {};
    // When to try the entry again, from 0 to a year. None: after 100 ms, doubling up to 5 s.
    std::optional<std::chrono::milliseconds> retry_after = {};
};

struct follower_options {
    // Handles entries, from the first on. Required. Called on the follower's thread, with at least
    // one entry and at most a page; the entries are valid during the call. Effects are durable
    // before it returns, because the cursor may move afterwards. After a crash, and after a
    // change of the leader, entries that were handled may be handed over again: their position
    // tells a repeat.
    //
    // It should return within a third of the lease. The lease is not renewed meanwhile: when it has
    // ended, the same entries are handed over again, by this follower or another one. That is
    // reported (observer::error(), "follower.lease"), and this one hands over fewer at a time. A
    // handler that needs longer starts its work, answers not_now, and has try_again() called when
    // the work is done.
    //
    // An exception is a failed try. If it was called with several entries, the follower hands them
    // over again one at a time, so that only the entry at fault loses tries. std::bad_alloc says
    // nothing about an entry: it is reported, not counted, and the call is repeated.
    std::function<follow_answer(std::span<const journal_entry>)> handler = {};
    // Called on the follower's thread if the journal does not have what comes after the cursor,
    // because an old backup was restored or a purge passed the cursor, before entries behind
    // `oldest` are handed over: what was made of the journal so far may be about entries that do
    // not exist. If it throws, it is called again later. It may take longer than the lease. It is
    // reported to the observer either way ("follower.reset").
    std::function<void(const feed_position& oldest)> on_reset = {};
    std::string cursor = {};  // 1 to 64 characters; "relay" is the relay's. Required
    std::string owner = {};   // at most 64 characters; empty: host, process and a random part
    // 100 ms to a year. All followers of a cursor use the same.
    std::chrono::milliseconds lease = std::chrono::seconds(10);
    // How often to look for entries without being notified of a commit.
    std::chrono::milliseconds poll_interval = std::chrono::seconds(1);
    // Between two moves of the cursor, from 0 to a third of the lease: what a crash hands over
    // again at most. Each move is part of a durable write.
    std::chrono::milliseconds move_every = std::chrono::milliseconds(20);
    std::size_t page = 100;  // entries handed over in one call at most, 1 to 1000
    std::size_t tries = 3;   // at least 1
    // hold: an entry that was given up is tried again, every 5 s at most, and nothing behind it is
    // handed over before it is handled. skip: it is left out. Either way it is reported
    // (observer::entry_given_up()). park is refused: there is no place for it.
    unpublishable give_up = unpublishable::hold;
    // 0: the host calls run_once(), on one thread at a time. Else 1.
    std::size_t threads = 1;
    // With 0 threads: called, from any thread, when run_once() has something to do; not while
    // it runs, nor again before it has run. Must not throw.
    std::function<void()> on_ready = {};
};

struct follower_report {
    bool leading = false;
    std::size_t handled = 0;   // entries that the handler handled
    std::size_t given_up = 0;  // entries that were skipped, or are held from now on
    feed_position at;          // all entries up to it are handled or skipped, if it leads
    // What keeps it from advancing, and since when: leader, handler or entry, if anything.
    feed_wait waits_for = feed_wait::nothing;
    std::chrono::milliseconds waited{0};
    bool stopped = false;     // after stop(): nothing is left to do
    clock::instant next_due;  // nothing to do before this unless on_ready is called
};

// A new cursor begins at the beginning of the journal. The follower handles entries only while it
// leads: it holds the cursor, and its lease has not ended by the monotonic clock. A journal that
// does not have what comes after the cursor is reported, and followed from its beginning. How far
// it is behind is told to the observer every second (observer::feed_measured()), also while another
// one leads. Safe to use from any thread, except where noted.
class ORDERPROC_EXPORT journal_follower {
public:
    // Both must outlive the follower, and so must what the handler uses.
    journal_follower(engine& orders, reader& journal, follower_options options);
    // stop() with no time to drain; with 0 threads the cursor is left to the end of its lease.
    // REQUIRES: not on the follower's thread, nor on one that runs the engine.
    ~journal_follower();
    journal_follower(const journal_follower&) = delete;
    journal_follower& operator=(const journal_follower&) = delete;

    // Does what can be done now, and calls the handler once at most. Does not throw: an exception
    // is reported to the observer, and next_due is when to try again.
    // REQUIRES: options.threads is 0, after start(); not from within the handler.
    follower_report run_once();
    // As that said last, or in the past if there has come something to do since: see runnable.hpp.
    clock::instant next_due() const noexcept;

    // errc::invalid_argument, with the option's name, for options out of range; errc::stopped after
    // stop(); errc::unavailable if there is no thread to be had. Idempotent.
    result<void> start();

    // Hands over again at once the entry for which the handler answered not_now. Call it when the
    // entry can be handled: from any thread, also from within the handler, which is then called
    // again.
    void try_again() noexcept;

    // Reads no more; what is left of the page is handed over until then. Lets the cursor go, so
    // that another follower need not wait for the end of the lease, and returns when that is
    // committed. With 0 threads it returns at once, and run_once() goes on until it reports
    // stopped. Idempotent; a shorter drain wins. Called on the follower's own thread, as from the
    // handler, it returns at once as well.
    // REQUIRES: not on a thread that runs the engine, unless the follower has 0 threads.
    void stop(std::chrono::milliseconds drain = {});

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
