#ifndef ORDERPROC_SERVER_LIVE_LIVE_FEED_HPP
#define ORDERPROC_SERVER_LIVE_LIVE_FEED_HPP

// The journal, read once for all who listen.

#include "live/event_page.hpp"
#include "live/subscriber_index.hpp"
#include "live/subscription.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace orderproc::server {

struct live_feed_options {
    bool thread = true;                        // false: the host calls run_once()
    std::size_t page_size = 512;               // entries read at once, for all…
    std::size_t step_size = 128;               // …and for one who is behind
    std::size_t buffer_max = 4 * 1024 * 1024;  // bytes that wait for one reader
    std::chrono::milliseconds rest{10};        // between two looks: a busy journal comes in pages
    std::chrono::milliseconds poll_interval{200};  // a look without being told
    std::chrono::milliseconds retry{500};          // after the storage failed
    std::string event_source{default_event_source};
};

// Those who are behind are given the journal, or their order's history, one page in turn, until
// they have what the others have; then entries are offered to all whose filters match, as they
// are committed. Nobody who listens costs the journal's readers anything but memory, and while
// nobody does nothing is read. Safe to use from any thread.
class live_feed final : private commit_listener {
public:
    // Both outlive it; the reader's connections are for it alone.
    live_feed(engine& orders, reader& reads, live_feed_options options = {});
    ~live_feed();  // REQUIRES: nobody listens any more

    // A body to send as text/event-stream. Nothing is read before it is started.
    std::unique_ptr<http::body_source> subscribe(subscription_request what);

    std::size_t clients() const noexcept { return clients_.load(std::memory_order_relaxed); }

    // One page for all, and one for somebody who is behind. Is there more to do at once?
    // REQUIRES: options.thread is false; on one thread at a time.
    bool run_once();

private:
    friend class subscription;

    struct step_params {
        std::optional<std::string> order;
        feed_position after;
        order_version version;
    };
    struct step_read {
        std::vector<journal_entry> entries;
        feed_position oldest, newest;
        bool reset = false;
        bool whole = false;  // there was nothing more
    };

    void committed() noexcept override;
    void add(subscription& it);
    void remove(subscription& it) noexcept;
    void poke() noexcept;

    void run();
    bool wait();  // false: stopping
    bool read_live();
    void offer_to_all(event_page& page);
    bool step();
    subscription* next_behind(step_params& params);
    result<step_read> read_step(const step_params& params);
    void give(subscription& to, step_read& read);
    void join(subscription& it);
    void offer(subscription& to, http::piece it, const journal_entry* entry);
    void wake_touched();
    bool settled(const journal_entry& it) const noexcept;
    void report(const failure& what);

    engine& engine_;
    reader& reads_;
    const live_feed_options options_;

    std::mutex mutex_;
    subscriber_index live_;
    std::vector<subscription*> behind_;
    std::size_t next_behind_ = 0;
    subscription* stepping_ = nullptr;  // its page is being read
    std::vector<subscription*> touched_;
    feed_position at_;  // of all that are live; meaningless without any

    std::atomic<std::size_t> clients_{0};
    std::atomic<bool> watching_{false};  // somebody listens
    std::atomic<bool> pending_{false};   // there is a reason to look
    std::mutex sleep_mutex_;
    std::condition_variable awake_;
    bool stopping_ = false;
    // Only of the feed's thread.
    bool failed_ = false;  // the last read
    bool hurried_ = true;  // somebody is behind
    std::chrono::steady_clock::time_point looked_;
    std::jthread thread_;
};

}  // namespace orderproc::server

#endif
