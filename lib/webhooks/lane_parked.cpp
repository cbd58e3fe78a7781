// Orders of which an event failed: their records, and when they are tried again.

#include "stages/common/retry_delay.hpp"
#include "webhooks/lane.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t history_page = 64;

// Nullopt: it cannot be read.
std::optional<parked_order> parked_of(const record& stored) {
    auto decoded = decode_parked(stored.value);
    if (!decoded) return std::nullopt;
    parked_order out;
    out.it = std::move(*decoded);
    out.stored = stored.version;
    out.dirty = false;
    return out;
}

}  // namespace

// What the sender before left, and what people want to see of it. False: the endpoint is not as it
// is known here; it may have been removed, and its cursor with it.
result<bool> lane::load_parked() {
    const timestamp wall = core_.with.time.now();
    const auto now = core_.with.time.monotonic();
    parked_.clear();
    parked_due_.clear();
    parked_dirty_.clear();
    failing_since_.reset();
    std::vector<std::pair<std::int64_t, parked_order>> found;
    std::optional<record> sent;
    std::size_t failed = 0;
    bool current = false;
    std::vector<std::string> unreadable;
    auto read = core_.journal.use([&](repository_reader& from) -> result<void> {
        found.clear();
        unreadable.clear();
        const auto now_so = from.find_record({webhook_collection, endpoint_.id});
        if (!now_so) return now_so.error();
        current = *now_so && (*now_so)->version == endpoint_.version;
        const std::string prefix = prefix_of(endpoint_.id);
        auto done = for_records(from, parked_collection, prefix, [&](const record& it) {
            const auto number = number_in_key(it.key, endpoint_.id);
            auto order = parked_of(it);
            if (number && order) {
                found.emplace_back(*number, std::move(*order));
            } else {
                unreadable.push_back(it.key);
            }
            return true;
        });
        if (!done) return done;
        failed = 0;
        done = for_records(from, attempts_collection, prefix,
                           [&](const record&) { return ++failed < 100'000; });
        if (!done) return done;
        auto stored = from.find_record({sent_collection, endpoint_.id});
        if (!stored) return std::move(stored).error();
        sent = std::move(*stored);
        return {};
    });
    if (!read) return read.error();
    if (!current) return false;
    for (const std::string& it : unreadable) {
        core_.report("webhooks.read", errc::corrupt,
                     "the record of the parked order " + it + " cannot be read");
    }
    failed_stored_ = failed;
    sent_ = sent ? decode_lines(sent->value) : std::vector<webhook_attempt>();
    sent_stored_ = sent ? sent->version : 0;
    sent_dirty_ = false;
    timestamp fine = endpoint_.resumed_at.value_or(timestamp::min());
    if (!sent_.empty()) fine = std::max(fine, sent_.back().began_at);
    for (auto& [number, order] : found) {
        if (endpoint_.resumed_at && order.it.failed_at <= *endpoint_.resumed_at) {
            order.it.due_at = wall;
            order.it.attempts = 0;
        }
        // No longer than from now on: a clock that was ahead gave it.
        const auto wait = std::clamp(order.it.due_at - wall, milliseconds(0), delay_max);
        if (order.it.failed_since > fine) {
            failing_since_ =
                std::min(failing_since_.value_or(order.it.failed_since), order.it.failed_since);
        }
        auto& there = parked_.emplace(number, std::move(order)).first->second;
        schedule(number, there, now + wait);
    }
    return true;
}

void lane::schedule(std::int64_t number, parked_order& it, clock::instant due) {
    parked_due_.erase({it.due, number});
    it.due = due;
    if (it.stored > 0 && !it.closing && !it.sending) parked_due_.emplace(due, number);
}

// Its record is to be written.
void lane::touch(std::int64_t number, parked_order& it) {
    it.dirty = true;
    parked_dirty_.insert(number);
}

// The first failure of an order: it and what comes after it are parked.
void lane::fail_live(const outgoing_event& it, const webhook_response& got,
                     std::optional<timestamp>& next_at) {
    parked_order& made = parked_[it.number];
    made.it.order = it.order;
    made.it.next = it.version;
    made.it.failed_since = core_.with.time.now();
    note_failed(it.number, made, got, next_at);
    // Not when one of them is tried again: then an endpoint with so many could never be resumed.
    if (parked_.size() >= core_.options.parked_max) {
        pause(std::to_string(parked_.size()) + " orders are parked");
    }
}

void lane::note_failed(std::int64_t number, parked_order& it, const webhook_response& got,
                       std::optional<timestamp>& next_at) {
    const timestamp wall = core_.with.time.now();
    it.it.failed_at = wall;
    if (it.it.attempts == 0) it.it.failed_since = wall;
    ++it.it.attempts;
    const bool last = it.it.attempts > core_.options.retries.size();
    // Or else it is the endpoint that fails, and not the event: that loses none.
    const bool gives_up = last && !(failing_since_ && *failing_since_ <= it.it.failed_since);
    const auto wait = last ? milliseconds(0) : delay_after(got, it.it.attempts);
    if (!last) next_at = wall + wait;
    it.it.due_at = wall + wait;
    schedule(number, it, core_.with.time.monotonic() + wait);
    touch(number, it);
    if (!last) return;
    const auto attempts = std::exchange(it.it.attempts, 0);
    if (!gives_up) return pause("all attempts have failed since " + to_string(*failing_since_));
    const auto version = static_cast<std::uint64_t>(it.it.next);
    it.it.next = order_version{version + 1};
    core_.report("webhooks.given_up", errc::unavailable,
                 "endpoint " + endpoint_.id + ": version " + std::to_string(version) +
                     " of order " + it.it.order + " is given up after " + std::to_string(attempts) +
                     " attempts");
}

void lane::note_parked(std::int64_t number, order_version version, const webhook_response& got,
                       std::optional<timestamp>& next_at) {
    const auto at = parked_.find(number);
    if (at == parked_.end()) return;
    parked_order& it = at->second;
    it.sending = false;
    --parked_sending_;
    it.it.next = version;
    if (got.status / 100 != 2 || !got.error.empty()) return note_failed(number, it, got, next_at);
    it.it.next = order_version{static_cast<std::uint64_t>(version) + 1};
    it.it.attempts = 0;
    schedule(number, it, core_.with.time.monotonic());
}

// The cursor may pass events of an order whose record is stored: it says that they are to be sent.
// A record that the sender before has left is written anew first, or a removal by that one, still
// under way, could take it. Events that come while the record is being removed are sent when it is
// gone.
void lane::pass_to_parked() {
    if (parked_.empty()) return;
    for (outgoing_event& it : window_) {
        if (it.is != outgoing_event::state::waiting) continue;
        const auto at = parked_.find(it.number);
        if (at == parked_.end() || at->second.stored == 0 || at->second.closing) continue;
        if (at->second.ours) {
            it.is = outgoing_event::state::done;
        } else if (!at->second.dirty && !at->second.writing) {
            touch(it.number, at->second);
        }
    }
}

void lane::send_parked(clock::instant now) {
    while (!parked_due_.empty() && parked_due_.begin()->first <= now && now >= held_until_ &&
           parked_has_slot()) {
        const std::int64_t number = parked_due_.begin()->second;
        parked_order& it = parked_.at(number);
        if (busy_.contains(number)) {  // a replay of it is under way
            schedule(number, it, now + commit_pause(1));
            continue;
        }
        send_next_of(number, it, now);
    }
}

void lane::send_next_of(std::int64_t number, parked_order& it, clock::instant now) {
    auto found = find_next(it);
    if (!found) {
        core_.with.observer.error("webhooks.read", found.error());
        return schedule(number, it, now + commit_pause(1));
    }
    if (!*found) {
        touch(number, it);
        it.closing = true;
        parked_due_.erase({it.due, number});
        return;
    }
    if (!in_lease()) return schedule(number, it, now);  // it ended while this was read
    const outgoing_event& next = **found;
    if (next.version != it.it.next) it.it.attempts = 0;  // those between do not match
    letter what{source::parked, event_id(next.at, endpoint_.id),
                next.order,     next.at,
                next.version,   it.it.attempts + 1};
    send(std::move(what), next,
         [this, number, version = next.version](const webhook_response& got,
                                                std::optional<timestamp>& next_at) {
             note_parked(number, version, got, next_at);
         });
    parked_due_.erase({it.due, number});
    it.sending = true;
    ++parked_sending_;
}

// The order's first event from there on, as far as the feed has come: what is behind that comes
// with the feed. None: all of them are delivered.
result<std::optional<outgoing_event>> lane::find_next(const parked_order& it) {
    return core_.journal.use([&](repository_reader& from) -> result<std::optional<outgoing_event>> {
        history_params params;
        params.order = it.it.order;
        params.after = order_version{static_cast<std::uint64_t>(it.it.next) - 1};
        params.limit = history_page;
        for (;;) {
            const auto page = from.history(params);
            if (!page) return page.error();
            for (const journal_entry& one : *page) {
                if (one.position.offset > taken_.offset) return std::optional<outgoing_event>();
                if (matches_filter(one)) return std::optional<outgoing_event>(to_event(one));
                params.after = one.version;
            }
            if (page->size() < params.limit) return std::optional<outgoing_event>();
        }
    });
}

void lane::write_parked(clock::instant now) {
    const std::set<std::int64_t> all = parked_dirty_;
    for (const std::int64_t number : all) {
        parked_order& it = parked_.at(number);
        if (!it.writing && now >= it.write_due) write_parked(number, it);
    }
}

void lane::write_parked(std::int64_t number, parked_order& it) {
    const std::string key = parked_key(endpoint_.id, number);
    change_record what;
    if (it.closing) {
        what = removal_of(parked_collection, key, it.stored);
    } else {
        what = create_of(parked_collection, key, encode(it.it));
        what.due_at = it.it.due_at;
        if (it.stored > 0) what.action = record_action::replace;
        what.version = it.stored;
    }
    core_.write(std::move(what),
                [weak = weak_from_this(), number, lead = leads_](record_outcome& outcome) {
                    const auto self = weak.lock();
                    if (!self || self->leads_ != lead) return;
                    self->touched_ = true;
                    self->trusting([&] { self->note_parked_written(number, outcome); });
                });
    it.dirty = false;
    it.writing = true;
}

void lane::note_parked_written(std::int64_t number, record_outcome& outcome) {
    const auto at = parked_.find(number);
    if (at == parked_.end() || !at->second.writing) return;
    parked_order& it = at->second;
    it.writing = false;
    const bool gone = outcome.ec == errc::not_found || (!outcome.ec && !outcome.present);
    if (it.closing && gone) {
        parked_dirty_.erase(number);
        parked_.erase(at);
        return;
    }
    const bool first = it.stored == 0;
    if (outcome.present) it.stored = outcome.present->version;
    if (gone) it.stored = 0;
    if (!outcome.ec) it.ours = true;
    if (outcome.ec) {
        it.dirty = true;  // as it is now: this one leads
        if (!outcome.present) {
            it.write_due = core_.with.time.monotonic() + commit_pause(1);
        }
    }
    if (!it.dirty) parked_dirty_.erase(number);
    if (first && it.stored > 0) schedule(number, it, it.due);
}

// Somebody says that the endpoint is well again.
void lane::hurry_parked(clock::instant now) {
    failures_ = 0;
    probes_ = 0;
    probe_due_ = clock::instant::min();
    held_until_ = clock::instant::min();
    failing_since_.reset();
    for (auto& [number, it] : parked_) {
        it.it.attempts = 0;
        schedule(number, it, now);
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
