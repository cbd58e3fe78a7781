#include "stages/relay_impl.hpp"
#include "stages/retry_delay.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

// How often one that does not lead asks whether it may.
constexpr milliseconds asks_every{1000};
constexpr milliseconds measures_every{1000};

}  // namespace

void relay::impl::take_in(const detail::relay_mailbox::mail& mail) {
    if (mail.stop_at) stop_at_ = mail.stop_at;
    news_ = news_ || mail.news;
    if (mail.moved) on_moved(*mail.moved);
}

void relay::impl::on_moved(const cursor_outcome& outcome) {
    moving_ = false;
    const auto now = with_.time.monotonic();
    if (outcome.ec == errc::lease_lost) {
        if (leading_) step_down();
        if (held_until_ != outcome.held_until) held_since_ = now;
        held_until_ = outcome.held_until;
        move_due_ = now + std::min(asks_every, options_.lease / 4);
        return;
    }
    if (outcome.ec == errc::stopped) engine_stopped_ = true;
    if (outcome.ec) {
        move_due_ = now + detail::commit_pause(++move_failures_);
        return;
    }
    move_failures_ = 0;
    held_until_.reset();
    stored_ = outcome.at;
    if (letting_go_) {
        let_go_ = true;
        return step_down();
    }
    leads_until_ = moved_at_ + options_.lease;
    if (leading_) return;
    leading_ = true;
    confirmed_ = read_ = stored_;
    news_ = true;
}

// Another one publishes what is not confirmed, too: nobody could tell otherwise.
void relay::impl::step_down() {
    leading_ = false;
    publisher_.reset();
    sent_.clear();
    page_.clear();
    next_ = 0;
    suspects_.clear();
    caught_up_ = false;
}

bool relay::impl::wants_move(clock::instant now) const noexcept {
    if (moving_ || engine_stopped_ || let_go_ || now < move_due_) return false;
    if (!leading_) return !winding_up();
    if (drained(now) || now >= moved_at_ + options_.lease / 3) return true;
    return confirmed_ != stored_ && now >= moved_at_ + options_.move_every;
}

void relay::impl::move_cursor(clock::instant now) {
    if (leading_ && now >= leads_until_) step_down();
    if (!wants_move(now)) return;
    commit_cursor what;
    what.name = options_.cursor;
    what.owner = options_.owner;
    if (leading_ && confirmed_ != stored_) what.to = confirmed_;
    letting_go_ = leading_ && drained(now);
    what.expires_at = with_.time.now() + (letting_go_ ? milliseconds(0) : options_.lease);
    if (held_until_ && now >= held_since_ + options_.lease) what.expired = held_until_;
    moved_at_ = now;
    mailbox_->kept = mailbox_;
    result<void> sent = errc::unavailable;
    try {
        sent = engine_.submit(std::move(what), *mailbox_);
    } catch (...) {
        mailbox_->kept.reset();
        throw;
    }
    moving_ = sent.has_value();
    if (moving_) return;
    mailbox_->kept.reset();
    engine_stopped_ = true;
}

// Of what is not confirmed; also while another one leads.
std::optional<timestamp> relay::impl::oldest_unpublished(clock::instant now,
                                                         std::uint64_t& behind) {
    if (leading_) behind = newest_ - std::min(newest_, confirmed_.offset);
    if (!sent_.empty()) return sent_.front().made_at;
    if (next_ < page_.size()) return page_[next_].at;
    if (publishing() && !news_ && now < read_due_) return std::nullopt;
    const auto found = journal_.use([&](repository_reader& from) -> result<feed_page> {
        auto at = leading_ ? std::optional(confirmed_) : std::nullopt;
        if (!at) {
            auto stands = from.find_cursor(options_.cursor);
            if (!stands) return std::move(stands).error();
            at = stands->value_or(feed_position{});
        }
        auto page = from.read_feed({*at, 1});
        if (page) behind = page->newest.offset - std::min(page->newest.offset, at->offset);
        return page;
    });
    if (!found || found->entries.empty()) return std::nullopt;
    return found->entries.front().at;
}

void relay::impl::measure(clock::instant now) {
    const bool all_out = publishing() && !news_ && sent_.empty() && next_ == page_.size();
    const bool arrived = all_out && !caught_up_;
    if (now < measure_due_ && !arrived) return;
    measure_due_ = now + measures_every;
    feed_report report;
    report.cursor = options_.cursor;
    report.leading = leading_;
    if (const auto oldest = oldest_unpublished(now, report.behind)) {
        report.lag = std::max(milliseconds(0), with_.time.now() - *oldest);
    } else {
        report.behind = 0;
    }
    caught_up_ = all_out;
    report.waits_for = waits_for();
    report.waited = now - progress_at_;
    with_.observer.feed_measured(report);
}

}  // namespace v1
}  // namespace orderproc
