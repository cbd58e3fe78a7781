#ifndef ORDERPROC_STAGES_BROKER_RELAY_IMPL_HPP
#define ORDERPROC_STAGES_BROKER_RELAY_IMPL_HPP

#include "stages/broker/reconnection.hpp"
#include "stages/common/stage_life.hpp"
#include "stages/follow/cursor_lease.hpp"
#include "stages/follow/feed_gauge.hpp"
#include "stages/follow/feed_mailbox.hpp"
#include "stages/follow/journal_pages.hpp"

#include <orderproc/relay.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {

// What others do to it is in relay.cpp, what its own thread does in relay_cycle.cpp and
// relay_give_up.cpp.
class relay::impl final : private commit_listener {
public:
    impl(engine& orders, reader& journal, broker& to, relay_options options);
    ~impl();

    result<void> start();
    relay_report cycle(std::chrono::milliseconds timeout) noexcept;
    clock::instant due() const noexcept { return mailbox_->notifier.due(report_.next_due); }
    void stop(std::chrono::milliseconds drain);

private:
    // What went out for an entry: its message, or a copy for the poison queue, or nothing.
    enum class sending : std::uint8_t { whole, copy, copy_alone, nothing };
    struct sent_entry {
        feed_position at;
        timestamp made_at;
        publish_tag tag{};
        bool confirmed = false;
        sending as = sending::whole;
    };
    // An entry that could not be published so far.
    struct suspect {
        failure why{};
        std::size_t tries = 0;
        std::size_t unrouted = 0;  // times that no queue took it, or its copy
        bool refused = false;      // by the broker, which has seen the message
        bool never_parks = false;  // its copy cannot be published either
        bool reported = false;
        std::string order, event{};   // once it is given up
        clock::instant since, due{};  // the first failure; not tried before
    };

    void committed() noexcept override { mailbox_->committed(); }
    void run() noexcept;

    // The relay's thread only, for all that follows.
    // relay_cycle.cpp: who leads, and the way of the entries
    void take_in(const detail::feed_mail& mail);
    void lead(detail::cursor_lease::change what) noexcept;
    void keep_cursor(clock::instant now);
    detail::cursor_wish wish(clock::instant now) const noexcept;
    detail::feed_standing standing(clock::instant now) const noexcept;
    bool publishing() const noexcept { return lease_.leading() && publisher_; }
    bool winding_up() const noexcept { return stop_at_.has_value(); }
    bool drained(clock::instant now) const noexcept;
    void step(std::chrono::milliseconds timeout);
    void abandon(const char* thrown) noexcept;
    void connect(clock::instant now);
    void disconnect(const failure& why) noexcept;
    void read(clock::instant now);
    bool is_late(timestamp made_at) const;
    void submit_entries(clock::instant now);
    bool submit_one(const journal_entry& entry, clock::instant now);
    void address(const journal_entry& entry);
    bool submit_message(const journal_entry& entry, sending as, clock::instant now);
    void collect(std::chrono::milliseconds timeout);
    void judge(const published& what, clock::instant now);
    void advance(clock::instant now);
    clock::instant next_due(clock::instant now) const noexcept;
    // relay_give_up.cpp: entries that cannot be published
    suspect* find_suspect(const feed_position& at) noexcept;
    suspect& suspected(const feed_position& at, failure why, clock::instant now);
    bool exhausted(const suspect& it, clock::instant now) const noexcept;
    bool format(const journal_entry& entry, clock::instant now);
    void note_unsendable(const journal_entry& entry, failure why, std::size_t tries,
                         clock::instant now);
    bool note_unrouted(const sent_entry& entry, clock::instant now);
    void note_refused(const sent_entry& entry, clock::instant now);
    void forgive_refused(clock::instant now) noexcept;
    bool give_up(const journal_entry& entry, suspect& it, clock::instant now);
    void write_parked(const journal_entry& entry, const suspect& it);
    void report_given_up(const feed_position& at, suspect& it, unpublishable action);
    void acquit(const sent_entry& entry, clock::instant now);
    feed_wait waits_for() const noexcept;

    engine& engine_;
    broker& broker_;
    relay_options options_;
    runtime with_;
    const std::shared_ptr<detail::feed_mailbox> mailbox_;
    detail::cursor_lease lease_;
    detail::journal_pages pages_;  // not yet submitted
    detail::feed_gauge gauge_;
    detail::reconnection link_;

    feed_position confirmed_;  // all up to it is
    bool written_ = false;     // message_ is what it will be
    message message_;
    std::deque<sent_entry> sent_;
    bool late_ = false;  // the page began with what should be out by now
    clock::instant page_read_at_, rests_until_;
    std::unique_ptr<publisher> publisher_;
    std::vector<published> outcomes_;
    std::optional<failure> lost_;                // the connection is of no use any more, and why
    std::map<std::uint64_t, suspect> suspects_;  // by offset; not behind the cursor yet
    std::optional<clock::instant> stop_at_;
    relay_report report_;

    detail::stage_life life_;
    bool listening_ = false;
};

}  // namespace v1
}  // namespace orderproc

#endif
