#ifndef ORDERPROC_STAGES_FOLLOW_FOLLOWER_IMPL_HPP
#define ORDERPROC_STAGES_FOLLOW_FOLLOWER_IMPL_HPP

#include "stages/common/stage_life.hpp"
#include "stages/follow/cursor_lease.hpp"
#include "stages/follow/feed_gauge.hpp"
#include "stages/follow/feed_mailbox.hpp"
#include "stages/follow/journal_pages.hpp"

#include <orderproc/follower.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace orderproc {
inline namespace v1 {

namespace detail {

// Of the first entry that is not handled, once a try did not succeed.
struct follow_trial {
    feed_wait waits_for = feed_wait::handler;  // or entry
    std::size_t tries = 0;                     // that failed
    std::uint32_t pauses = 0;                  // in a row
    clock::instant due;                        // not tried before
    bool held = false;                         // it is reported that it was given up
};

}  // namespace detail

// What others do to it is in follower.cpp, what its own thread does in follower_cycle.cpp.
class journal_follower::impl final : private commit_listener {
public:
    impl(engine& orders, reader& journal, follower_options options);
    ~impl();

    result<void> start();
    follower_report cycle() noexcept;
    clock::instant due() const noexcept { return mailbox_->notifier.due(report_.next_due); }
    void try_again() noexcept { mailbox_->try_again(); }
    void stop(std::chrono::milliseconds drain);

private:
    void committed() noexcept override { mailbox_->committed(); }
    void run() noexcept;
    result<void> check() const;

    // The follower's thread only, for all that follows.
    void step();
    void take_in(const detail::feed_mail& mail);
    void lead(detail::cursor_lease::change what) noexcept;
    void keep_cursor(clock::instant now);
    void abandon(const char* thrown) noexcept;
    void read(clock::instant now);
    void hand_over(clock::instant now);
    void pace(std::size_t given, clock::instant begun, clock::instant now);
    void note(std::span<const journal_entry> given, follow_answer said, clock::instant now);
    void note_exception(std::size_t given, const failure& why, clock::instant now) noexcept;
    void pass(std::size_t count) noexcept;
    void wait(const follow_answer& said, clock::instant now);
    void fail(const failure& why, bool for_good, std::optional<std::chrono::milliseconds> asked,
              clock::instant now) noexcept;
    void report_given_up(const failure& why) noexcept;
    void pause(std::optional<std::chrono::milliseconds> asked, clock::instant now) noexcept;

    bool following() const noexcept { return lease_.leading() && !lease_.engine_stopped(); }
    bool winding_up() const noexcept { return stop_at_.has_value(); }
    bool drained(clock::instant now) const noexcept;
    detail::cursor_wish wish(clock::instant now) const noexcept;
    detail::feed_standing standing(clock::instant now) const noexcept;
    feed_wait waits_for() const noexcept;
    clock::instant next_due(clock::instant now) const noexcept;

    engine& engine_;
    follower_options options_;
    runtime with_;
    const std::shared_ptr<detail::feed_mailbox> mailbox_;
    detail::cursor_lease lease_;
    detail::journal_pages pages_;  // not yet handled
    detail::feed_gauge gauge_;

    feed_position done_;  // all up to it is
    std::optional<detail::follow_trial> trial_;
    std::size_t one_by_one_ = 0;             // so many entries are handed over alone
    std::size_t share_;                      // of a page, handed over at a time
    std::optional<feed_position> reset_to_;  // on_reset was told, but the cursor is not there yet
    std::string reason_;                     // for not_now, as reported last
    std::optional<clock::instant> stop_at_;
    follower_report report_;

    detail::stage_life life_;
    bool listening_ = false;
};

}  // namespace v1
}  // namespace orderproc

#endif
