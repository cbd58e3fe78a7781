#include "core/caught.hpp"
#include "stages/common/retry_delay.hpp"
#include "stages/follow/follower_impl.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

}  // namespace

// Nothing that is thrown here gets out: a host whose call failed would not know when to call again.
follower_report journal_follower::impl::cycle() noexcept {
    report_ = {};
    mailbox_->notifier.begin();
    bool failed = true;
    try {
        step();
        failed = false;
    } catch (const std::exception& thrown) {
        abandon(thrown.what());
    } catch (...) {
        abandon("an unknown exception");
    }
    const auto now = with_.time.monotonic();
    report_.leading = lease_.leading();
    report_.at = done_;
    report_.waits_for = waits_for();
    report_.waited = gauge_.waited(now);
    report_.stopped = winding_up() && lease_.over();
    const bool notified = mailbox_->notifier.end();
    report_.next_due = failed ? now + detail::commit_pause(1) : notified ? now : next_due(now);
    return report_;
}

void journal_follower::impl::step() {
    take_in(mailbox_->take());
    if (winding_up() && lease_.over()) return;
    auto now = with_.time.monotonic();
    keep_cursor(now);
    if (following() && !drained(now)) {
        read(now);
        now = with_.time.monotonic();  // a slow storage may have cost the lease
        lead(lease_.expire(now));
        if (following()) hand_over(now);
        now = with_.time.monotonic();
        keep_cursor(now);
    }
    gauge_.note(waits_for(), report_.handled + report_.given_up > 0, now);
    gauge_.measure(standing(now), now);
}

// A call may be half noted: what is not is handed over again.
void journal_follower::impl::abandon(const char* thrown) noexcept {
    with_.observer.error("follower", detail::caught(errc::unavailable, thrown));
    pages_.begin(done_);
}

void journal_follower::impl::take_in(const detail::feed_mail& mail) {
    if (mail.stop_at) stop_at_ = mail.stop_at;
    if (mail.news) pages_.news();
    if (mail.moved) lead(lease_.on_moved(*mail.moved));
    if (mail.moved && reset_to_ == lease_.stored()) reset_to_.reset();
    if (mail.again && trial_ && trial_->waits_for == feed_wait::handler) {
        trial_->due = clock::instant::min();
    }
}

// Another one handles what is behind the cursor, too: nobody could tell what was done.
void journal_follower::impl::lead(detail::cursor_lease::change what) noexcept {
    if (what == detail::cursor_lease::change::none) return;
    if (what == detail::cursor_lease::change::lost) gauge_.restart();
    trial_.reset();
    one_by_one_ = 0;
    reason_.clear();
    done_ = lease_.stored();
    pages_.begin(done_);
}

void journal_follower::impl::keep_cursor(clock::instant now) {
    lead(lease_.expire(now));
    lease_.keep(wish(now), now);
}

void journal_follower::impl::read(clock::instant now) {
    if (winding_up() || !pages_.due(now)) return;
    if (pages_.read(options_.page, now) != detail::journal_pages::found::reset) return;
    // Told once, also if it took longer than the lease and this begins again.
    if (options_.on_reset && reset_to_ != pages_.oldest()) options_.on_reset(pages_.oldest());
    reset_to_ = pages_.oldest();
    trial_.reset();
    one_by_one_ = 0;
    done_ = pages_.oldest();
    pages_.begin(done_);
}

void journal_follower::impl::hand_over(clock::instant now) {
    if (pages_.empty() || (trial_ && now < trial_->due)) return;
    const std::size_t most = one_by_one_ > 0 ? 1 : std::min(share_, pages_.rest().size());
    const auto entries = pages_.rest().first(most);
    std::optional<follow_answer> said;
    failure thrown(errc::invalid_argument);
    try {
        said = options_.handler(entries);
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& it) {
        thrown = detail::caught(errc::invalid_argument, it.what());
    } catch (...) {
        thrown = detail::caught(errc::invalid_argument, "the handler threw no std::exception");
    }
    const auto begun = std::exchange(now, with_.time.monotonic());
    pace(entries.size(), begun, now);
    if (said) return note(entries, std::move(*said), now);
    note_exception(entries.size(), thrown, now);
}

// A handler that took longer than the lease has worked in vain: all that it was given is handed
// over again. It gets half as much from now on, and more again when it is fast.
void journal_follower::impl::pace(std::size_t given, clock::instant begun, clock::instant now) {
    const auto took = now - begun;
    const auto lease = lease_.terms().lease;
    if (took < lease) {
        if (took < lease / 8) share_ = std::min(options_.page, 2 * share_);
        return;
    }
    share_ = std::max<std::size_t>(1, given / 2);
    with_.observer.error(
        "follower.lease",
        {errc::lease_lost, options_.cursor + ": the handler took " + std::to_string(took.count()) +
                               " ms for " + std::to_string(given) +
                               " entries, longer than its lease: they are handed "
                               "over again"});
}

void journal_follower::impl::note(std::span<const journal_entry> given, follow_answer said,
                                  clock::instant now) {
    const std::size_t count = std::min(said.handled, given.size());
    if (count > 0) pass(count);
    report_.handled += count;
    if (count == given.size() || (count > 0 && said.next == entry_outcome::untried)) return;
    if (said.next == entry_outcome::not_now) return wait(said, now);
    if (said.next == entry_outcome::untried) said.reason = "the handler did not say why";
    fail({errc::invalid_argument, std::move(said.reason)}, said.next == entry_outcome::impossible,
         said.retry_after, now);
}

// Nobody knows which of several entries is at fault. They are handed over again at once, each
// alone.
void journal_follower::impl::note_exception(std::size_t given, const failure& why,
                                            clock::instant now) noexcept {
    if (given > 1) {
        one_by_one_ = given;
        return;
    }
    fail(why, false, std::nullopt, now);
}

// Those entries are behind the cursor from now on.
void journal_follower::impl::pass(std::size_t count) noexcept {
    done_ = pages_.rest()[count - 1].position;
    pages_.pop(count);
    trial_.reset();
    one_by_one_ -= std::min(one_by_one_, count);
    reason_.clear();
}

void journal_follower::impl::wait(const follow_answer& said, clock::instant now) {
    if (!trial_) trial_.emplace();
    trial_->waits_for = feed_wait::handler;
    pause(said.retry_after, now);
    if (said.reason.empty() || said.reason == reason_) return;
    reason_ = said.reason;
    with_.observer.error("follower.not_now",
                         {errc::unavailable, options_.cursor + ": " + said.reason});
}

void journal_follower::impl::fail(const failure& why, bool for_good,
                                  std::optional<milliseconds> asked, clock::instant now) noexcept {
    if (!trial_) trial_.emplace();
    trial_->waits_for = feed_wait::entry;
    trial_->tries = for_good ? options_.tries : std::min(trial_->tries + 1, options_.tries);
    const bool exhausted = trial_->tries == options_.tries;
    if (exhausted && !std::exchange(trial_->held, true)) report_given_up(why);
    if (exhausted && options_.give_up == unpublishable::skip) return pass(1);
    pause(asked, now);
}

void journal_follower::impl::report_given_up(const failure& why) noexcept {
    const journal_entry& it = pages_.front();
    ++report_.given_up;
    with_.observer.entry_given_up({options_.cursor, it.position.epoch, it.position.offset,
                                   it.after.id.view(), it.event, options_.give_up, why});
}

void journal_follower::impl::pause(std::optional<milliseconds> asked, clock::instant now) noexcept {
    const auto wait = asked ? std::clamp(*asked, milliseconds(0), detail::delay_max)
                            : detail::commit_pause(++trial_->pauses);
    trial_->due = now + wait;
}

// Nothing more is handed over: the cursor can be let go.
bool journal_follower::impl::drained(clock::instant now) const noexcept {
    return winding_up() && (pages_.empty() || now >= *stop_at_);
}

detail::cursor_wish journal_follower::impl::wish(clock::instant now) const noexcept {
    return {done_, winding_up(), drained(now)};
}

detail::feed_standing journal_follower::impl::standing(clock::instant now) const noexcept {
    detail::feed_standing out;
    out.leading = lease_.leading();
    out.caught_up = following() && pages_.caught_up();
    out.done = done_;
    out.floor = pages_.oldest().offset;
    out.newest = pages_.newest();
    if (!pages_.empty()) out.oldest = pages_.front().at;
    out.knows_oldest = out.oldest || (following() && !pages_.due(now));
    return out;
}

feed_wait journal_follower::impl::waits_for() const noexcept {
    if (!lease_.leading()) return feed_wait::leader;
    return trial_ ? trial_->waits_for : feed_wait::nothing;
}

clock::instant journal_follower::impl::next_due(clock::instant now) const noexcept {
    if (winding_up() && lease_.over()) return clock::instant::max();
    const auto due = std::min(gauge_.due(), lease_.due(wish(now), now));
    if (!following() || drained(now)) return due;
    const auto next = pages_.empty() ? pages_.due() : trial_ ? trial_->due : now;
    return std::min({due, std::max(now, next), stop_at_.value_or(clock::instant::max())});
}

}  // namespace v1
}  // namespace orderproc
