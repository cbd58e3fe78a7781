#include "webhooks/lane.hpp"

#include "stages/common/retry_delay.hpp"
#include "webhooks/event_body.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

using std::chrono::milliseconds;

// Events of one endpoint that wait in memory, and their bytes.
constexpr std::size_t window_max = 128;
constexpr std::size_t window_bytes_max = std::size_t{1024} * 1024;
constexpr std::size_t parts_max = 32;
// A cursor whose endpoint is told of nothing moves so often, so that it holds up no purge.
constexpr std::chrono::seconds idle_move(3);
// How much is told once more if the journal has lost something.
constexpr std::chrono::minutes look_back(1);

cursor_terms terms_of(const sender_core& of, const webhook_endpoint& it) {
    return {cursor_name(it.id), of.options.owner, of.options.lease, milliseconds(0)};
}

}  // namespace

lane::lane(sender_core& of, webhook_endpoint endpoint)
    : core_(of),
      mail_(std::make_shared<feed_mailbox>(
          [to = std::weak_ptr<sender_mailbox>(of.mailbox), has_mail = has_mail_] {
              *has_mail = true;
              if (const auto it = to.lock()) it->notifier.notify();
          })) {
    configure(std::move(endpoint));
}

lane::~lane() {
    drop();
    mail_->notifier.close();
}

void lane::configure(webhook_endpoint now_so) {
    touched_ = true;
    const bool same_events = now_so.events == endpoint_.events &&
                             now_so.statuses == endpoint_.statuses &&
                             now_so.scope == endpoint_.scope && now_so.owner == endpoint_.owner &&
                             now_so.content == endpoint_.content;
    const bool resumed = now_so.resumed_at != endpoint_.resumed_at;
    const bool other_secrets = now_so.secrets != endpoint_.secrets;
    auto opened = other_secrets ? open_secrets(now_so) : signing_secrets();
    feed_filter filter{{}, now_so.scope, now_so.statuses, now_so.events};
    endpoint_ = std::move(now_so);  // from here on, nothing of it is left out
    filter_ = std::move(filter);
    if (other_secrets) secrets_ = std::move(opened);
    if (endpoint_.state != webhook_state::active) pausing_.clear();
    if (endpoint_.state == webhook_state::removed) drop();
    trusting([&] {
        if (resumed) hurry_parked(core_.with.time.monotonic());
        if (!same_events && leading()) begin_again();
    });
}

// Empty: one cannot be opened.
lane::signing_secrets lane::open_secrets(const webhook_endpoint& of) const {
    signing_secrets out;
    for (const auto& it : of.secrets) {
        auto opened = core_.options.keys.open(it.text, of.id);
        if (!opened) {
            core_.with.observer.error("webhooks.secret", opened.error());
            return {};
        }
        out.emplace_back(std::move(*opened), it.ends_at.value_or(timestamp::max()));
    }
    return out;
}

bool lane::matches_filter(const journal_entry& it) const {
    return matches(filter_, it) && endpoint_.owner.admits(it.after);
}

// owner: of an entry that the feed gave, which other endpoints may have got as well.
outgoing_event lane::to_event(const journal_entry& it,
                              const std::shared_ptr<const void>& owner) const {
    outgoing_event out;
    out.at = it.position;
    out.number = it.after.number;
    out.order = it.after.id.view();
    out.version = it.version;
    out.journaled_at = it.at;
    out.traceparent = it.traceparent;
    const std::string& from = core_.options.source;
    const auto& model = core_.orders.model();
    out.body =
        owner ? core_.bodies.find_or_make(it, owner, endpoint_, from, model)
              : std::make_shared<const std::string>(make_event_body(it, endpoint_, from, model));
    return out;
}

// One that was removed is led as well, by whoever deletes what is left of it.
bool lane::wants_lease(bool stopping) const noexcept {
    if (stopping || core_.engine_stopped || cleaned_) return false;
    if (endpoint_.state == webhook_state::removed) return true;
    return endpoint_.state == webhook_state::active && !secrets_.empty();
}

bool lane::pending_writes() const noexcept {
    return !parked_dirty_.empty() || sent_dirty_ || sent_writing_ || pause_writing_;
}

cursor_wish lane::wish(clock::instant now, bool stopping, bool drained) const noexcept {
    const bool ends = !wants_lease(stopping);
    const bool idle = flights_.empty() && !pending_writes();
    cursor_wish out;
    // Until it has begun, done_ is of the lease before, or of nothing.
    const bool moves = loaded_ && (moved_ || ends || now >= idle_due_);
    out.done = moves ? done_ : lease_->stored();
    out.stopping = ends;
    out.finished = ends && (idle || drained);
    return out;
}

void lane::keep_lease(clock::instant now, bool stopping, bool drained) {
    mail_->notifier.begin();
    const feed_mail mail = mail_->take();
    if (mail_->notifier.end()) *has_mail_ = true;  // nobody is called about what came meanwhile
    if (!lease_ && !wants_lease(stopping)) return;
    if (!lease_) {
        lease_.emplace(core_.orders, mail_, terms_of(core_, endpoint_));
        lease_->name_owner();
    }
    if (mail.moved) lead(lease_->on_moved(*mail.moved));
    lead(lease_->expire(now));
    if (lease_->engine_stopped()) core_.engine_stopped = true;
    if (cursor_removed_) {  // it must not come back
        if (stopping && *cursor_removed_ != removal::pending) lease_.reset();
        return;
    }
    const cursor_wish wanted = wish(now, stopping, drained);
    const bool in_time = core_.ticking || !lease_->leading() || wanted.finished;
    if (in_time) {
        const bool moves = lease_->leading() && wanted.done != lease_->stored();
        lease_->keep(wanted, now);
        if (moves) moved_ = false;
        if (moves || now >= idle_due_) {
            idle_due_ = now + idle_move;
            feed_ready_ = true;  // to see how far it has come, though nothing matches
        }
    }
    if (wanted.stopping && lease_->over()) {
        drop();
        lease_.reset();
    }
}

void lane::lead(cursor_lease::change what) {
    if (what == cursor_lease::change::none) return;
    drop();
    pausing_.clear();  // it was about what is known here
    load_due_ = clock::instant::min();
}

// Neither requests nor what was read for them.
void lane::cancel_all() noexcept {
    for (const std::uint64_t it : flights_) core_.cancel(it);
    flights_.clear();
    busy_.clear();
    subscription_.reset();
    window_.clear();
    window_size_ = 0;
    replay_.clear();
    replay_ended_ = false;
    for (lane_task& it : tasks_) it.begun = false;
    parked_sending_ = 0;
}

// What is under way is forgotten: another one may send it, too.
void lane::drop() noexcept {
    cancel_all();
    parked_.clear();
    parked_due_.clear();
    parked_dirty_.clear();
    loaded_ = false;
    ++leads_;
}

// What is known here may be half of the truth, since something was thrown on the way. It is read
// anew, as after a crash.
void lane::doubt() noexcept {
    drop();
    load_due_ = core_.with.time.monotonic() + commit_pause(1);
}

// It leads: from where the cursor stands, but not before its first event.
void lane::begin() {
    const auto current = load_parked();
    if (!current) core_.with.observer.error("webhooks.read", current.error());
    if (!current || !*current) {
        if (current) core_.mailbox->refresh();
        load_due_ = core_.with.time.monotonic() + commit_pause(1);
        return;
    }
    loaded_ = true;
    done_ = lease_->stored();
    if (done_.offset == 0) done_ = endpoint_.begins;
    moved_ = done_ != lease_->stored();
    taken_ = done_;
    probe_due_ = clock::instant::min();
    held_until_ = clock::instant::min();
    failures_ = 0;
    probes_ = 0;
    window_of_sends_ = 2;
}

// With other filters: what was sent since the cursor's place may be sent once more.
void lane::begin_again() {
    cancel_all();
    const auto now = core_.with.time.monotonic();
    for (auto& [number, it] : parked_) {
        if (std::exchange(it.sending, false)) schedule(number, it, now);
    }
    taken_ = done_;
}

void lane::subscribe() {
    feed_request what;
    what.filter = filter_;
    what.after = taken_;
    auto made = core_.feed.subscribe(std::move(what), *this);
    if (made) subscription_ = std::move(*made);
    feed_ready_ = true;
}

void lane::take() {
    const bool room = window_.size() < window_max && window_size_ < window_bytes_max;
    if (!room) return;
    if (!subscription_) {
        if (window_.size() > window_max / 2) return;
        subscribe();
    }
    if (!feed_ready_) return;
    feed_ready_ = false;
    while (window_.size() < window_max && window_size_ < window_bytes_max) {
        const auto offered = subscription_->offered();
        std::vector<feed_part> parts;
        const auto state = subscription_->take(parts, window_bytes_max - window_size_, parts_max);
        try {
            for (const feed_part& it : parts) {
                take_part(it);
                if (!subscription_) return;
            }
        } catch (...) {  // what was handed over comes once more
            subscription_.reset();
            throw;
        }
        if (state == feed_state::dropped) {  // it has fallen behind: it reads by itself
            subscription_.reset();
            return;
        }
        if (!parts.empty()) continue;
        if (offered && offered->offset > taken_.offset) {
            taken_ = *offered;
            if (window_.empty()) done_ = taken_;
        }
        return;
    }
    feed_ready_ = true;  // there may be more
}

void lane::take_part(const feed_part& it) {
    if (it.is == feed_part::kind::reset) return take_reset(it.position);
    for (const journal_entry& one : it.entries) {
        if (matches_filter(one)) {
            window_.push_back(to_event(one, it.owner));
            window_size_ += window_.back().size();
        }
        taken_ = one.position;
    }
}

// Its place is not in the journal. What was purged is over. If the journal has lost entries, or is
// another one, it goes on from a little before what was passed last, and not from the beginning.
void lane::take_reset(feed_position to) {
    const bool purged = to.offset > taken_.offset;
    if (!purged && passed_at_ > timestamp::min()) {
        const auto near = core_.journal.use(
            [&](repository_reader& from) { return from.find_position(passed_at_ - look_back); });
        if (near && near->offset > to.offset) {
            to = *near;
            subscription_.reset();  // it would begin further back
        }
    }
    core_.report("webhooks.reset", errc::not_found,
                 "endpoint " + endpoint_.id +
                     ": the journal does not have what comes after its cursor: it is told "
                     "from entry " +
                     std::to_string(to.offset) + " on");
    outgoing_event mark;
    mark.at = to;
    mark.journaled_at = passed_at_;
    mark.is = outgoing_event::state::done;
    window_.push_back(std::move(mark));
    taken_ = to;
}

// The cursor's place moves past what is done, and never past a gap.
void lane::pass() noexcept {
    while (!window_.empty() && window_.front().is == outgoing_event::state::done) {
        done_ = window_.front().at;
        passed_at_ = window_.front().journaled_at;
        window_size_ -= window_.front().size();
        window_.pop_front();
        moved_ = true;
        if (!window_.empty()) continue;
        done_ = taken_;
        feed_ready_ = true;
    }
}

// Most of them have nothing to do most of the time.
void lane::step(clock::instant now, bool stopping, bool drained) {
    if (!has_to_do(now, stopping, drained)) return;
    trusting([&] { advance(now, stopping, drained); });
    touched_ = false;
    stopping_ = stopping;
    drained_ = drained;
    const bool waits = !window_.empty() || !parked_due_.empty() || !tasks_.empty();
    wants_slot_ = waits && flights_.size() < allowed() && !core_.has_slot(struggling());
    due_ = *has_mail_ ? now : next_due(now, stopping, drained);
}

bool lane::has_to_do(clock::instant now, bool stopping, bool drained) noexcept {
    if (*has_mail_ && has_mail_->exchange(false)) touched_ = true;
    return touched_ || now >= due_ || stopping != stopping_ || drained != drained_ ||
           core_.engine_stopped || (wants_slot_ && core_.has_slot(struggling()));
}

void lane::advance(clock::instant now, bool stopping, bool drained) {
    keep_lease(now, stopping, drained);
    if (cursor_removed_) return clean(now);
    if (!leading()) return;
    if (endpoint_.state == webhook_state::removed) return clean(now);
    if (!loaded_ && now >= load_due_) begin();
    if (!loaded_) return;
    if (!stopping && wants_lease(stopping) && pausing_.empty()) {
        take();
        pass_to_parked();  // before any of these orders may come to its end
        send_parked(now);
        dispatch(now);
        run_tasks(now);
    }
    pass_to_parked();
    pass();
    write_parked(now);
    write_pause(now);
    store_sent(now, !wants_lease(stopping));
    keep_lease(now, stopping, drained);
}

clock::instant lane::next_due(clock::instant now, bool stopping, bool drained) const {
    if (!lease_) return wants_lease(stopping) ? now : clock::instant::max();
    if (cursor_removed_) {  // the end of that wakes the sender
        const bool waits = cleaned_ || *cursor_removed_ == removal::pending;
        return waits ? clock::instant::max() : std::max(clean_due_, now);
    }
    const cursor_wish wanted = wish(now, stopping, drained);
    auto out = lease_->due(wanted, now);
    const bool held = lease_->leading() && !wanted.finished && out != clock::instant::max();
    if (held) out = std::max(out, core_.tick_due);
    if (!leading()) return out;
    // Then nothing may be under way any more, though the answer to a renewal is still awaited.
    out = std::min(out, std::max(lease_->leads_until(), now));
    if (endpoint_.state == webhook_state::removed) {
        return removing_ > 0 ? out : std::min(out, clean_due_);
    }
    if (!loaded_) return std::min(out, load_due_);
    const auto sooner = [&](clock::instant when) { out = std::min(out, std::max(when, now)); };
    for (const std::int64_t it : parked_dirty_) {
        const parked_order& one = parked_.at(it);
        if (!one.writing) sooner(one.write_due);
    }
    if (!pausing_.empty() && !pause_writing_) sooner(pause_due_);
    if (sent_dirty_ && !sent_writing_) sooner(sent_due_);
    if (stopping || !wants_lease(stopping) || !pausing_.empty()) return out;
    sooner(std::max(idle_due_, core_.tick_due));
    const bool takes = window_.size() < window_max && window_size_ < window_bytes_max;
    if (takes && (feed_ready_ || (!subscription_ && window_.size() <= window_max / 2))) {
        sooner(now);
    }
    // What waits for a slot is woken by an answer: of this endpoint, or of any.
    if (!has_slot()) return out;
    const auto held_off = std::max(held_until_, probe_due_);
    if (!parked_due_.empty() && parked_has_slot())
        sooner(std::max(held_until_, parked_due_.begin()->first));
    if (held_off > now && (!window_.empty() || !tasks_.empty())) sooner(held_off);
    for (const lane_task& it : tasks_) {
        const bool stuck = it.begun && !it.what.test && !it.ending &&
                           (replay_.empty() || replay_.front().is == outgoing_event::state::done);
        if (stuck || (it.finished && !it.ending)) sooner(std::max(replay_due_, held_until_));
    }
    for (const outgoing_event& it : replay_) {
        if (it.is == outgoing_event::state::waiting && it.failures > 0) {
            sooner(std::max(it.due, held_off));
        }
    }
    return out;
}

void lane::measure(clock::instant now) {
    feed_report out;
    const std::string name = cursor_name(endpoint_.id);
    out.cursor = name;
    out.leading = leading();
    if (!out.leading) return;
    const auto late = std::find_if(window_.begin(), window_.end(), [](const auto& it) {
        return it.is != outgoing_event::state::done;
    });
    if (late != window_.end()) {
        out.lag = std::max(milliseconds(0), core_.with.time.now() - late->journaled_at);
        out.behind = window_.size();
        out.waits_for =
            held_until_ > now || probe_due_ > now ? feed_wait::handler : feed_wait::nothing;
    }
    core_.with.observer.feed_measured(out);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
