#include "core/caught.hpp"
#include "core/work_events.hpp"
#include "stages/broker/relay_impl.hpp"
#include "stages/common/retry_delay.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t page_max = 512;
// After a page, while changes wait at the engine: of what the page took, and at most.
constexpr int rest_factor = 3;
constexpr milliseconds rest_max{100};
// A connection is served, or asked for confirms, at least so often.
constexpr milliseconds serves_every{500};
constexpr milliseconds asks_every{10};

}  // namespace

// Nothing that is thrown here gets out: a host whose call failed would not know when to call again.
relay_report relay::impl::cycle(milliseconds timeout) noexcept {
    report_ = {};
    mailbox_->notifier.begin();
    bool failed = true;
    try {
        step(timeout);
        failed = false;
    } catch (const std::exception& thrown) {
        abandon(thrown.what());
    } catch (...) {
        abandon("an unknown exception");
    }
    const auto now = with_.time.monotonic();
    report_.leading = lease_.leading();
    report_.connected = publisher_ != nullptr;
    report_.under_way = sent_.size();
    report_.waits_for = waits_for();
    report_.waited = gauge_.waited(now);
    report_.stopped = winding_up() && lease_.over();
    const bool notified = mailbox_->notifier.end();
    report_.next_due = failed ? now + detail::commit_pause(1) : notified ? now : next_due(now);
    return report_;
}

void relay::impl::step(milliseconds timeout) {
    take_in(mailbox_->take());
    auto now = with_.time.monotonic();
    keep_cursor(now);
    if (lease_.leading() && !drained(now)) {
        connect(now);
        read(now);
        submit_entries(now);
        collect(timeout);
        if (lost_) disconnect(*std::exchange(lost_, std::nullopt));
        now = with_.time.monotonic();
        keep_cursor(now);
    }
    gauge_.note(waits_for(), report_.published > 0, now);
    gauge_.measure(standing(now), now);
}

void relay::impl::take_in(const detail::feed_mail& mail) {
    if (mail.stop_at) stop_at_ = mail.stop_at;
    if (mail.news) pages_.news();
    if (mail.moved) lead(lease_.on_moved(*mail.moved));
}

// One that leads no more forgets what is not confirmed: another one publishes that, too, since
// nobody could tell otherwise.
void relay::impl::lead(detail::cursor_lease::change what) noexcept {
    if (what == detail::cursor_lease::change::none) return;
    if (what == detail::cursor_lease::change::lost) {
        publisher_.reset();
        sent_.clear();
        suspects_.clear();
        gauge_.restart();
    }
    confirmed_ = lease_.stored();
    pages_.begin(confirmed_);
}

void relay::impl::keep_cursor(clock::instant now) {
    lead(lease_.expire(now));
    lease_.keep(wish(now), now);
}

detail::cursor_wish relay::impl::wish(clock::instant now) const noexcept {
    return {confirmed_, winding_up(), drained(now)};
}

detail::feed_standing relay::impl::standing(clock::instant now) const noexcept {
    detail::feed_standing out;
    out.leading = lease_.leading();
    out.caught_up = publishing() && pages_.caught_up() && sent_.empty();
    out.done = confirmed_;
    out.floor = pages_.oldest().offset;
    out.newest = pages_.newest();
    if (!sent_.empty()) {
        out.oldest = sent_.front().made_at;
    } else if (!pages_.empty()) {
        out.oldest = pages_.front().at;
    }
    out.knows_oldest = out.oldest || (publishing() && !pages_.due(now));
    return out;
}

// What was under way may be half noted: it is published again.
void relay::impl::abandon(const char* thrown) noexcept {
    lost_.reset();
    const failure why = detail::caught(errc::unavailable, thrown);
    with_.observer.error("relay", why);
    disconnect(why);
}

// Nothing more is waited for: the cursor can be let go.
bool relay::impl::drained(clock::instant now) const noexcept {
    return winding_up() && (sent_.empty() || now >= *stop_at_);
}

void relay::impl::connect(clock::instant now) {
    if (publisher_ || now < link_.due()) return;
    publisher_params params{options_.window, options_.queues};
    if (options_.give_up == unpublishable::park) {
        params.queues.push_back({options_.poison_queue, {options_.poison_queue}, 0});
    }
    auto made = broker_.connect_publisher(params);
    if (!made) return link_.failed(made.error());
    publisher_ = std::move(*made);
    link_.made();
}

// What is not confirmed is published again.
void relay::impl::disconnect(const failure& why) noexcept {
    publisher_.reset();
    sent_.clear();
    written_ = false;
    pages_.begin(confirmed_);
    link_.failed(why);
}

void relay::impl::read(clock::instant now) {
    if (!publisher_ || winding_up() || !pages_.due(now)) return;
    if (sent_.size() >= options_.window) return;
    // One page after the other, with rests if others want to write: what comes meanwhile gathers,
    // and the broker's cost for a message falls with the size of the burst. No time for that: all
    // that the window lets through. So also what lacks its confirm for so long delays only what the
    // window has no room for.
    late_ = late_ || (!sent_.empty() && is_late(sent_.front().made_at));
    if (!late_ && (!sent_.empty() || now < rests_until_)) return;
    const auto found = pages_.read(std::min(page_max, options_.window), now);
    if (found == detail::journal_pages::found::failed) return;
    if (found == detail::journal_pages::found::reset) {
        suspects_.clear();
        sent_.clear();  // of another journal: their confirms mean nothing for the cursor
        confirmed_ = pages_.oldest();
        pages_.begin(confirmed_);
        return;
    }
    page_read_at_ = now;
    written_ = false;
    late_ = options_.max_publish_lag == milliseconds(0) ||
            (!pages_.empty() && is_late(pages_.front().at));
}

// Of an entry that comes out of the future, since the clock has stepped back, nobody can tell how
// late it is.
bool relay::impl::is_late(timestamp made_at) const {
    const auto age = with_.time.now() - made_at;
    return age >= options_.max_publish_lag || -age >= options_.max_publish_lag;
}

void relay::impl::submit_entries(clock::instant now) {
    while (publisher_ && !lost_ && !pages_.empty() && sent_.size() < options_.window) {
        if (!sent_.empty() && sent_.back().as == sending::copy_alone) return;
        if (!submit_one(pages_.front(), now)) return;
        pages_.pop();
        written_ = false;
    }
}

// False: not now.
bool relay::impl::submit_one(const journal_entry& entry, clock::instant now) {
    if (suspect* const it = find_suspect(entry.position)) {
        if (now < it->due) return false;
        if (exhausted(*it, now)) {
            if (options_.give_up != unpublishable::hold) return give_up(entry, *it, now);
            it->order = entry.after.id.view();
            it->event = entry.event;
            report_given_up(entry.position, *it, unpublishable::hold);
        }
    }
    if (!written_ && !format(entry, now)) return false;
    return submit_message(entry, sending::whole, now);
}

// All of the message that is the relay's to say.
void relay::impl::address(const journal_entry& entry) {
    message_ = {};
    message_.topic = "order." + entry.event;
    message_.key = entry.after.id.view();
    if (!entry.traceparent.empty()) {
        message_.headers.emplace_back("traceparent", entry.traceparent);
    }
    message_.must_route = !options_.queues.empty() &&
                          detail::stage_woken_by(entry.event, engine_.machine()) != nullptr;
}

bool relay::impl::submit_message(const journal_entry& entry, sending as, clock::instant now) {
    auto submitted = publisher_->submit(message_);
    if (submitted) {
        sent_.push_back({entry.position, entry.at, *submitted, false, as});
        return true;
    }
    failure why = std::move(submitted).error();
    if (why.code == errc::overloaded) return false;
    if (why.code == errc::invalid_argument) {  // and it never will be anything else
        why.detail.insert(0, "the broker takes no such message: ");
        note_unsendable(entry, std::move(why), options_.tries, now);
        if (as != sending::whole) find_suspect(entry.position)->never_parks = true;
    } else {
        lost_ = std::move(why);
    }
    return false;
}

void relay::impl::collect(milliseconds timeout) {
    if (!publisher_ || lost_) return;
    outcomes_.clear();
    auto polled = publisher_->poll(sent_.empty() ? milliseconds(0) : timeout, outcomes_);
    const auto now = with_.time.monotonic();
    for (const published& it : outcomes_) judge(it, now);
    advance(now);
    if (!polled) lost_ = std::move(polled).error();
}

void relay::impl::judge(const published& what, clock::instant now) {
    const auto found =
        std::lower_bound(sent_.begin(), sent_.end(), what.tag,
                         [](const sent_entry& it, publish_tag tag) { return it.tag < tag; });
    if (found == sent_.end() || found->tag != what.tag) return;
    if (!what.ec) {
        found->confirmed = true;
    } else if (what.ec == errc::not_found && note_unrouted(*found, now)) {
        found->confirmed = true;
    } else {
        // Refused, or no queue took it: from there on all is sent again, in order.
        if (what.ec == errc::unavailable) note_refused(*found, now);
        lost_ = failure{what.ec, "message " + std::to_string(found->at.offset)};
    }
}

// All up to the first that is not confirmed.
void relay::impl::advance(clock::instant now) {
    const bool any = !sent_.empty();
    while (!sent_.empty() && sent_.front().confirmed) {
        acquit(sent_.front(), now);
        confirmed_ = sent_.front().at;
        sent_.pop_front();
        ++report_.published;
        link_.of_use();
    }
    if (!any || !sent_.empty() || late_ || engine_.queued() == 0) return;
    rests_until_ = now + std::min(rest_factor * (now - page_read_at_), rest_max);
}

clock::instant relay::impl::next_due(clock::instant now) const noexcept {
    auto due = std::min(gauge_.due(), lease_.due(wish(now), now));
    if (winding_up() && !drained(now)) due = std::min(due, *stop_at_);
    if (!lease_.leading()) return due;
    if (!publisher_) return std::min(due, link_.due());
    if (!sent_.empty()) return std::min(due, now + asks_every);
    if (!pages_.empty()) {
        const auto it = suspects_.find(pages_.front().position.offset);
        const auto tried = it == suspects_.end() ? now : it->second.due;
        return std::min({due, std::max(tried, now + asks_every), now + serves_every});
    }
    if (!winding_up()) due = std::min(due, std::max({now, pages_.due(), rests_until_}));
    return std::min(due, now + serves_every);
}

}  // namespace v1
}  // namespace orderproc
