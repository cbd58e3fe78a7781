#ifndef ORDERPROC_FEED_FEED_CORE_HPP
#define ORDERPROC_FEED_FEED_CORE_HPP

// Reads the journal and gives it to subscriptions.

#include "feed/page_cache.hpp"
#include "feed/shared_page.hpp"
#include "feed/subscriber_index.hpp"
#include "feed/subscription.hpp"

#include <orderproc/feed.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

class feed_core final : private commit_listener {
public:
    feed_core(engine& orders, reader& reads, live_feed_options options);
    ~feed_core();

    void add(subscription& it);
    void remove(subscription& it) noexcept;  // also one that was never added
    std::optional<feed_position> offered_to(const subscription& it) const;
    std::size_t subscriptions() const noexcept { return count_.load(std::memory_order_relaxed); }
    // One that is behind gets more when less than this waits for it.
    std::size_t room_below() const noexcept { return options_.buffer_max / 16 + 1; }

    bool run_once();
    clock::instant next_due() const noexcept;
    void poke() noexcept;  // there is a reason to look
    void stop() noexcept;

private:
    struct step_params {
        std::optional<feed_position> after;  // none: where does the journal end?
        std::string order;                   // its history alone; empty: the journal
        order_version version;
        std::uint64_t number = 0;  // of the read
    };
    struct step_read {
        std::vector<journal_entry> entries;
        feed_position oldest, newest;
        bool reset = false;
        bool whole = false;    // there was nothing more
        bool nothing = false;  // there is nothing of the order
    };

    void committed() noexcept override;
    clock& time() const noexcept;

    void run();
    bool wait();  // false: stopping

    bool read_live();
    void offer_to_all(shared_page& page);
    bool step();
    subscription* next_behind(step_params& params);
    bool give_known(subscription& to);
    result<step_read> read_step(const step_params& params);
    void give(subscription& to, step_read& read);
    bool shares(const subscription& it) const noexcept;
    void give_shared(const step_params& params, step_read& read, const subscription* first);
    void give_page(journal_page& page, const std::vector<subscription*>& to);
    void give_entries(subscription& to, std::vector<journal_entry> entries);
    void join(subscription& it);
    void leave(subscription& it) noexcept;
    void offer(subscription& to, feed_part it);
    void touch(subscription& it) noexcept;
    void call_touched(std::unique_lock<std::mutex>& lock) noexcept;
    bool settles(const journal_entry& it) const noexcept;
    void report(const failure& what);

    engine& engine_;
    reader& reads_;
    const live_feed_options options_;

    mutable std::mutex mutex_;
    subscriber_index live_;
    std::vector<subscription*> behind_;
    std::size_t next_behind_ = 0;
    page_cache pages_;                  // read for one that was behind
    std::uint64_t numbers_ = 0;         // of reads for those
    subscription* stepping_ = nullptr;  // its step is being read
    std::vector<subscription*> touched_;
    feed_position at_;  // of all that are live; meaningless without any
    // Whose listener is being called, and by which thread.
    subscription* calling_ = nullptr;
    std::thread::id caller_;
    std::condition_variable called_;

    std::atomic<std::size_t> count_{0};
    std::atomic<bool> watching_{false};  // there are subscriptions
    std::atomic<bool> pending_{false};   // there is a reason to look
    std::atomic<bool> stopping_{false};
    std::mutex sleep_mutex_;
    std::condition_variable awake_;
    // For the thread that runs the feed alone.
    bool failed_ = false;  // the last read
    bool more_ = false;    // run_once() left something to do
    bool hurried_ = true;  // somebody is behind
    clock::instant looked_;
    std::jthread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
