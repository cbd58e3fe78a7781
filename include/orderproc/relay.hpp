#ifndef ORDERPROC_RELAY_HPP
#define ORDERPROC_RELAY_HPP

// Publishes the journal: every entry at least once, in its order. The cursor moves after the
// broker's confirm, so a crash in between publishes again (transactional outbox; here the journal
// is the outbox).

#include <orderproc/engine.hpp>
#include <orderproc/queue.hpp>
#include <orderproc/reader.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct relay_options {
    // What a message says: sets id (of the entry's position and nothing else), content_type and
    // payload. The relay itself sets topic "order.<event>", key (the order's id), the header
    // traceparent and must_route. write_cloud_event() of cloud_event.hpp is one. Required. Called
    // on the relay's thread, at least once for each entry. It may throw: the entry is then tried
    // again and given up, see below. std::bad_alloc says nothing about the entry, so it is not
    // counted as a try.
    std::function<void(const journal_entry&, message&)> format = {};
    // Who has the cursor publishes; the others wait for its lease to end, and look every second.
    std::string cursor = "relay";
    std::string owner = {};  // at most 64 characters; empty: host, process and a random part
    std::chrono::milliseconds lease = std::chrono::seconds(10);
    std::size_t window = 1000;  // entries that may be on their way, unconfirmed
    // Declared with each connection. If there are any, entries that create work must reach one.
    std::vector<queue_declaration> queues = {};
    // How often to look for entries without being notified of a commit.
    std::chrono::milliseconds poll_interval = std::chrono::seconds(1);
    // Between two moves of the cursor: what a crash publishes again at most.
    std::chrono::milliseconds move_every = std::chrono::milliseconds(20);
    // Maximum publish lag while the engine is busy. Below it, the relay sends one page (of at most
    // 512 entries) at a time and pauses between pages while changes wait at the engine: where they
    // share processors, clients go first. 0: it never pauses, and sends what the window holds.
    std::chrono::milliseconds max_publish_lag = std::chrono::seconds(2);
    // An entry is given up after so many tries for which format throws or the broker refuses the
    // message (nack); for refusals, which may end, not before refused_for has passed as well. An
    // entry whose message is longer than a message may be, or than the broker takes, is given up
    // at once. What happens then is reported (observer::entry_given_up()) and counted.
    std::size_t tries = 3;
    std::chrono::milliseconds refused_for = std::chrono::minutes(1);
    // park: a message with the topic poison_queue goes to that queue, which is declared with each
    // connection and bound to that topic; the relay continues when the broker has confirmed it. It
    // has the key and the headers x-poison-topic and x-poison-reason. Only a message that was
    // refused keeps its id, payload and content type; otherwise id is "epoch-offset". If no queue
    // takes it, the entry is skipped.
    unpublishable give_up = unpublishable::park;
    std::string poison_queue = "orderproc.poison";
    // 0: the host calls run_once(), on one thread at a time. Else 1.
    std::size_t threads = 1;
    // With 0 threads: called, from any thread, when run_once() has something to do; not while
    // it runs, nor again before it has run. Must not throw.
    std::function<void()> on_ready = {};
};

struct relay_report {
    bool leading = false;
    bool connected = false;
    std::size_t published = 0;  // entries confirmed
    std::size_t under_way = 0;  // submitted, not confirmed
    std::size_t given_up = 0;   // entries that could not be published
    // What keeps the cursor from advancing, and since when: a queue of one subscriber that the
    // broker cannot write to delays the confirms of all.
    feed_wait waits_for = feed_wait::nothing;
    std::chrono::milliseconds waited{0};
    bool stopped = false;     // after stop(): nothing is left to do
    clock::instant next_due;  // nothing to do before this unless on_ready is called
};

// With the broker away nothing is lost or refused: entries wait in the journal. It reconnects by
// itself, ever more rarely, up to 10 s, and goes on from the cursor. An entry that had to be routed
// and was not is sent again on a new connection, which declares the queues anew; one that finds
// none three times is reported, and left to the workers' polls. One entry that cannot be published
// stops the others for a limited time only (relay_options::tries). Another journal than the cursor
// knows (a restored backup), or one that forgot what comes after it: reported, and published from
// its beginning on. Safe to use from any thread, except where noted.
class ORDERPROC_EXPORT relay {
public:
    // All outlive the relay.
    relay(engine& orders, reader& journal, broker& to, relay_options options);
    // stop() with no time to drain; with 0 threads the cursor is left to the end of its lease.
    // REQUIRES: not on the relay's thread, nor on one that runs the engine.
    ~relay();
    relay(const relay&) = delete;
    relay& operator=(const relay&) = delete;

    // Does all that can be done now. Waits for the broker as long as connecting or submitting
    // does, and for no confirm. Does not throw: an exception (of format, say, or because memory has
    // run out) is reported to the observer, and next_due is when to try again.
    // REQUIRES: options.threads is 0, after start().
    relay_report run_once();
    // As that said last, or in the past if there has come something to do since: see runnable.hpp.
    clock::instant next_due() const noexcept;

    result<void> start();  // errc::invalid_argument for options out of range

    // Reads no more; what is under way may be confirmed until then. Lets the cursor go, and
    // returns when that is committed. With 0 threads it returns at once, and run_once() goes on
    // until it reports stopped. Idempotent; a shorter drain wins. Called on the relay's own thread,
    // as from format, it returns at once as well. REQUIRES: not on a thread that runs the engine,
    // unless the relay has 0 threads.
    void stop(std::chrono::milliseconds drain = {});

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
