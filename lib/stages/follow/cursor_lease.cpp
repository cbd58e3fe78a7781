#include "stages/follow/cursor_lease.hpp"

#include "stages/common/owner_name.hpp"
#include "stages/common/retry_delay.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t cursor_name_max = 64;
constexpr milliseconds cursor_lease_min{100};
// How often one that does not lead asks whether it may.
constexpr milliseconds takes_every{1000};

}  // namespace

cursor_lease::cursor_lease(engine& orders, std::shared_ptr<feed_mailbox> answers,
                           cursor_terms terms)
    : engine_(orders),
      with_(orders.runtime()),
      answers_(std::move(answers)),
      terms_(std::move(terms)) {}

const char* cursor_lease::refusal() const noexcept {
    const cursor_terms& it = terms_;
    if (it.name.empty() || it.name.size() > cursor_name_max) return "cursor: 1 to 64 characters";
    if (it.owner.size() > cursor_name_max) return "owner: at most 64 characters";
    if (it.lease < cursor_lease_min || it.lease > delay_max) return "lease: 100 ms to a year";
    if (it.move_every < milliseconds(0) || it.move_every > it.lease / 3) {
        return "move_every: from 0 to a third of the lease";
    }
    return nullptr;
}

void cursor_lease::name_owner() {
    if (terms_.owner.empty()) terms_.owner = make_owner_name(with_.random);
}

cursor_lease::change cursor_lease::on_moved(const cursor_outcome& outcome) noexcept {
    moving_ = false;
    const auto now = with_.time.monotonic();
    if (outcome.ec == errc::lease_lost) {
        if (held_until_ != outcome.held_until) held_since_ = now;
        held_until_ = outcome.held_until;
        move_due_ = now + std::min(takes_every, terms_.lease / 4);
        return std::exchange(leading_, false) ? change::lost : change::none;
    }
    if (outcome.ec == errc::stopped) engine_stopped_ = true;
    if (outcome.ec) {
        move_due_ = now + commit_pause(++failures_);
        return change::none;
    }
    failures_ = 0;
    held_until_.reset();
    stored_ = outcome.at;
    if (letting_go_) {
        let_go_ = true;
        leading_ = false;
        return change::lost;
    }
    leads_until_ = moved_at_ + terms_.lease;
    return std::exchange(leading_, true) ? change::none : change::won;
}

cursor_lease::change cursor_lease::expire(clock::instant now) noexcept {
    if (!leading_ || now < leads_until_) return change::none;
    leading_ = false;
    return change::lost;
}

bool cursor_lease::wants_move(const cursor_wish& wish, clock::instant now) const noexcept {
    if (moving_ || engine_stopped_ || let_go_ || now < move_due_) return false;
    if (!leading_) return !wish.stopping;
    if (wish.finished || now >= moved_at_ + terms_.lease / 3) return true;
    return wish.done != stored_ && now >= moved_at_ + terms_.move_every;
}

void cursor_lease::keep(const cursor_wish& wish, clock::instant now) {
    if (!wants_move(wish, now)) return;
    commit_cursor what;
    what.name = terms_.name;
    what.owner = terms_.owner;
    if (leading_ && wish.done != stored_) what.to = wish.done;
    letting_go_ = leading_ && wish.finished;
    what.expires_at = with_.time.now() + (letting_go_ ? milliseconds(0) : terms_.lease);
    if (held_until_ && now >= held_since_ + terms_.lease) what.expired = held_until_;
    moved_at_ = now;
    answers_->kept = answers_;
    result<void> sent = errc::unavailable;
    try {
        sent = engine_.submit(std::move(what), *answers_);
    } catch (...) {
        answers_->kept.reset();
        throw;
    }
    moving_ = sent.has_value();
    if (moving_) return;
    answers_->kept.reset();
    engine_stopped_ = true;
}

clock::instant cursor_lease::due(const cursor_wish& wish, clock::instant now) const noexcept {
    const bool stays_away = !leading_ && wish.stopping;
    if (moving_ || engine_stopped_ || let_go_ || stays_away) return clock::instant::max();
    if (!leading_) return move_due_;
    if (wish.finished) return std::max(now, move_due_);
    const auto pause = wish.done != stored_ ? terms_.move_every : terms_.lease / 3;
    return std::max(moved_at_ + pause, move_due_);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
