#include "core/work_events.hpp"
#include "stages/relay_impl.hpp"
#include "stages/retry_delay.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t page_max = 512;
constexpr int route_attempts = 3;
// After a page, while changes wait at the engine: of what the page took, and at most.
constexpr int rest_factor = 3;
constexpr milliseconds rest_max{100};
// A connection is served, or asked for confirms, at least so often.
constexpr milliseconds serves_every{500};
constexpr milliseconds asks_every{10};

}  // namespace

relay_report relay::impl::cycle(milliseconds patience) {
    report_ = {};
    inbox_->rings.answer();
    try {
        take_in(inbox_->take());
        auto now = with_.time.monotonic();
        move_cursor(now);
        if (leading_ && !drained(now)) {
            connect(now);
            read(now);
            submit_entries();
            collect(patience);
            if (lost_) disconnect(*std::exchange(lost_, std::nullopt));
            now = with_.time.monotonic();
            move_cursor(now);
        }
        measure(now);
    } catch (const std::exception& thrown) {
        disconnect({errc::unavailable, thrown.what()});
        inbox_->rings.rest();
        throw;
    } catch (...) {
        disconnect({errc::unavailable, "an unknown exception"});
        inbox_->rings.rest();
        throw;
    }
    const auto now = with_.time.monotonic();
    report_.leading = leading_;
    report_.connected = publisher_ != nullptr;
    report_.under_way = sent_.size();
    report_.stopped = winding_up() && !moving_ && (!leading_ || engine_stopped_);
    report_.next_due = inbox_->rings.rest() ? now : next_due(now);
    return report_;
}

// Nothing more is waited for: the cursor can be let go.
bool relay::impl::drained(clock::instant now) const noexcept {
    return winding_up() && (sent_.empty() || now >= *stop_at_);
}

void relay::impl::connect(clock::instant now) {
    if (publisher_ || now < link_.due()) return;
    auto made = broker_.connect_publisher({options_.window, options_.queues});
    if (!made) return link_.failed(made.error());
    publisher_ = std::move(*made);
    link_.made();
}

// What is not confirmed is published again.
void relay::impl::disconnect(const failure& why) {
    publisher_.reset();
    sent_.clear();
    page_.clear();
    next_ = 0;
    written_ = false;
    read_ = confirmed_;
    news_ = true;
    link_.failed(why);
}

void relay::impl::read(clock::instant now) {
    if (!publisher_ || winding_up() || next_ < page_.size()) return;
    if (sent_.size() >= options_.window || (!news_ && now < read_due_)) return;
    // One page after the other, with rests if others want to write: what comes meanwhile gathers,
    // and the broker's cost for a message falls with the size of the burst. No time for that: all
    // that the window lets through.
    if (!late_ && (!sent_.empty() || now < rests_until_)) return;
    const std::size_t limit = std::min(page_max, options_.window);
    auto found = journal_.use([&](repository& from) { return from.read_feed({read_, limit}); });
    if (!found) {
        with_.watch.trouble("relay.read", found.error());
        news_ = false;
        read_due_ = now + detail::commit_pause(1);
        return;
    }
    read_due_ = now + options_.sweep;
    newest_ = found->newest.offset;
    if (found->reset) {
        with_.watch.trouble("relay.reset",
                            {errc::not_found, "the journal does not have what comes after entry " +
                                                  std::to_string(read_.offset) + " of epoch " +
                                                  std::to_string(read_.epoch) +
                                                  ": publishing it from its beginning"});
        sent_.clear();  // of another journal: their confirms mean nothing for the cursor
        confirmed_ = read_ = found->oldest;
        news_ = true;
        return;
    }
    page_read_at_ = now;
    page_ = std::move(found->entries);
    next_ = 0;
    written_ = false;
    late_ = options_.give_way == milliseconds(0) || (!page_.empty() && is_late(page_.front()));
    news_ = page_.size() == limit;
    if (!page_.empty()) read_ = page_.back().position;
}

// Of an entry that comes out of the future, since the clock has stepped back, nobody can tell how
// late it is.
bool relay::impl::is_late(const journal_entry& entry) const {
    const auto age = with_.time.now() - entry.at;
    return age >= options_.give_way || -age >= options_.give_way;
}

void relay::impl::submit_entries() {
    while (publisher_ && next_ < page_.size() && sent_.size() < options_.window) {
        if (!submit_one(page_[next_])) return;
        ++next_;
        written_ = false;
    }
}

// False: not now.
bool relay::impl::submit_one(const journal_entry& entry) {
    if (!written_) {
        message_ = {};
        message_.topic = "order." + entry.event;
        message_.key = entry.after.id ? entry.after.id->view() : std::string_view();
        if (!entry.traceparent.empty()) {
            message_.headers.emplace_back("traceparent", entry.traceparent);
        }
        message_.must_route = !options_.queues.empty() &&
                              detail::stage_woken_by(entry.event, engine_.machine()) != nullptr;
        options_.format(entry, message_);
        written_ = true;
    }
    auto submitted = publisher_->submit(message_);
    if (submitted) {
        sent_.push_back({entry.position, entry.at, *submitted, false});
        return true;
    }
    if (submitted.error().code == errc::overloaded) return false;
    if (submitted.error().code == errc::invalid_argument) {  // and it never will be anything else
        with_.watch.trouble("relay.publish", submitted.error());
        const auto tag = sent_.empty() ? publish_tag{} : sent_.back().tag;  // they ascend
        sent_.push_back({entry.position, entry.at, tag, true});
        advance();
        return true;
    }
    lost_ = std::move(submitted).error();
    return false;
}

void relay::impl::collect(milliseconds patience) {
    if (!publisher_ || lost_) return;
    outcomes_.clear();
    auto polled = publisher_->poll(sent_.empty() ? milliseconds(0) : patience, outcomes_);
    for (const published& it : outcomes_) judge(it);
    advance();
    if (!polled) lost_ = std::move(polled).error();
}

void relay::impl::judge(const published& what) {
    const auto found =
        std::lower_bound(sent_.begin(), sent_.end(), what.tag,
                         [](const sent_entry& it, publish_tag tag) { return it.tag < tag; });
    if (found == sent_.end() || found->tag != what.tag) return;
    if (!what.ec) {
        found->confirmed = true;
    } else if (what.ec == errc::not_found && give_up_routing(*found)) {
        found->confirmed = true;
    } else {
        // Refused, or no queue took it: from there on all is sent again, in order.
        lost_ = failure{what.ec, "message " + std::to_string(found->at.offset)};
    }
}

bool relay::impl::give_up_routing(const sent_entry& entry) {
    unrouted_times_ = unrouted_ == entry.at ? unrouted_times_ + 1 : 1;
    unrouted_ = entry.at;
    if (unrouted_times_ < route_attempts) return false;
    with_.watch.trouble("relay.route", {errc::not_found,
                                        "no queue takes entry " + std::to_string(entry.at.offset)});
    return true;
}

// All up to the first that is not confirmed.
void relay::impl::advance() {
    const bool any = !sent_.empty();
    while (!sent_.empty() && sent_.front().confirmed) {
        confirmed_ = sent_.front().at;
        sent_.pop_front();
        ++report_.published;
        link_.of_use();
    }
    if (!any || !sent_.empty() || late_ || engine_.queued() == 0) return;
    const auto now = with_.time.monotonic();
    rests_until_ = now + std::min(rest_factor * (now - page_read_at_), rest_max);
}

clock::instant relay::impl::next_due(clock::instant now) const {
    auto due = measure_due_;
    if (winding_up() && !drained(now)) due = std::min(due, *stop_at_);
    if (!moving_ && !engine_stopped_ && !let_go_) {
        auto move = !leading_ ? move_due_
                              : moved_at_ + (confirmed_ != stored_ ? options_.move_every
                                                                   : options_.lease / 3);
        if (leading_ && drained(now)) move = now;
        due = std::min(due, std::max(move, move_due_));
    }
    if (!leading_) return due;
    if (!publisher_) return std::min(due, link_.due());
    if (!sent_.empty() || next_ < page_.size()) return std::min(due, now + asks_every);
    if (!winding_up()) due = std::min(due, news_ ? std::max(now, rests_until_) : read_due_);
    return std::min(due, now + serves_every);
}

}  // namespace v1
}  // namespace orderproc
