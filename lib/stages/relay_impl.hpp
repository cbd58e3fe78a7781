#ifndef ORDERPROC_STAGES_RELAY_IMPL_HPP
#define ORDERPROC_STAGES_RELAY_IMPL_HPP

#include "stages/notifier.hpp"
#include "stages/reconnection.hpp"
#include "stages/stage_life.hpp"

#include <orderproc/relay.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace detail {

// What other threads have for the relay. A move keeps it alive, so that it may outlive the relay.
class relay_mailbox final : public cursor_completion {
public:
    explicit relay_mailbox(std::function<void()> on_ready) : notifier(std::move(on_ready)) {}

    void complete(const cursor_outcome& outcome) noexcept override;
    void committed() noexcept;
    void stop_at(clock::instant deadline) noexcept;  // the earliest one counts

    struct mail {
        std::optional<cursor_outcome> moved;
        bool news = false;  // somebody committed
        std::optional<clock::instant> stop_at;
    };
    mail take() noexcept;

    detail::notifier notifier;
    std::shared_ptr<relay_mailbox> kept;  // while a move is under way

private:
    std::mutex mutex_;
    mail mail_;
};

}  // namespace detail

// What others do to it is in relay.cpp, what its own thread does in relay_cycle.cpp,
// relay_cursor.cpp and relay_give_up.cpp.
class relay::impl final : private commit_listener {
public:
    impl(engine& orders, reader& journal, broker& to, relay_options options);
    ~impl();

    result<void> start();
    relay_report cycle(std::chrono::milliseconds timeout) noexcept;
    // As run_once() said last, or at once if somebody has called since.
    clock::instant due() const noexcept {
        return mailbox_->notifier.notified() ? clock::instant::min() : report_.next_due;
    }
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
    // relay_cursor.cpp: who leads, and where the cursor stands
    void take_in(const detail::relay_mailbox::mail& mail);
    void on_moved(const cursor_outcome& outcome);
    void step_down();
    bool wants_move(clock::instant now) const noexcept;
    void move_cursor(clock::instant now);
    void measure(clock::instant now);
    std::optional<timestamp> oldest_unpublished(clock::instant now, std::uint64_t& behind);
    // relay_cycle.cpp: the way of the entries
    bool publishing() const noexcept { return leading_ && publisher_; }
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
    void note_progress(clock::instant now) noexcept;
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
    reader& journal_;
    broker& broker_;
    relay_options options_;
    runtime with_;
    const std::shared_ptr<detail::relay_mailbox> mailbox_;
    detail::reconnection link_;

    bool leading_ = false;
    bool engine_stopped_ = false;
    bool moving_ = false;                  // a move is under way…
    std::optional<feed_position> target_;  // …to there
    bool letting_go_ = false;              // …which ends the lease
    bool let_go_ = false;
    clock::instant moved_at_;  // the latest move was submitted
    clock::instant leads_until_;
    clock::instant move_due_;  // not before: after a failure, or while another one leads
    std::uint32_t move_failures_ = 0;
    std::optional<timestamp> held_until_;  // by another owner, as told last…
    clock::instant held_since_;            // …and told first

    // begun: all before the position is confirmed; read: all before it is in page_ or sent_.
    feed_position stored_, confirmed_, read_;
    std::uint64_t newest_ = 0;
    std::vector<journal_entry> page_;
    std::size_t next_ = 0;  // of the page, to be submitted
    bool written_ = false;  // message_ is what it will be
    message message_;
    std::deque<sent_entry> sent_;
    bool late_ = false;  // the page began with what should be out by now
    clock::instant page_read_at_, rests_until_;
    bool news_ = true;  // there may be more in the journal
    clock::instant read_due_;
    std::unique_ptr<publisher> publisher_;
    std::vector<published> outcomes_;
    std::optional<failure> lost_;                // the connection is of no use any more, and why
    std::map<std::uint64_t, suspect> suspects_;  // by offset; not behind the cursor yet
    bool waits_ = false;
    clock::instant progress_at_;  // the cursor advanced, or had no reason to
    clock::instant measure_due_;
    bool caught_up_ = false;  // as told last
    std::optional<clock::instant> stop_at_;
    relay_report report_;

    detail::stage_life life_;
    bool listening_ = false;
};

}  // namespace v1
}  // namespace orderproc

#endif
