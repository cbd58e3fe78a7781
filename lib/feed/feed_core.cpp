// What the feed reads, and who gets it.

#include "feed/feed_core.hpp"

#include "feed/filter.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

feed_part part_without_entries(feed_part::kind is, const feed_position& at) {
    feed_part out;
    out.is = is;
    out.position = at;
    out.size = sizeof out;
    return out;
}

}  // namespace

void feed_core::add(subscription& it) {
    {
        const std::lock_guard lock(mutex_);
        const std::size_t count = count_ + 1;
        if (touched_.capacity() < count) touched_.reserve(2 * count);
        if (behind_.capacity() < count) behind_.reserve(2 * count);
        behind_.push_back(&it);
        count_ = count;
        watching_ = true;
    }
    poke();
}

void feed_core::remove(subscription& it) noexcept {
    std::unique_lock lock(mutex_);
    if (it.live_) {
        live_.remove(it, it.filter_);
    } else if (std::erase(behind_, &it) == 0) {
        return;  // it was never added
    }
    std::erase(touched_, &it);
    if (stepping_ == &it) stepping_ = nullptr;
    if (--count_ == 0) watching_ = false;
    called_.wait(lock, [&] { return calling_ != &it || caller_ == std::this_thread::get_id(); });
}

std::optional<feed_position> feed_core::offered_to(const subscription& it) const {
    const std::lock_guard lock(mutex_);
    if (!it.started_) return std::nullopt;
    return it.live_ && at_.offset > it.at_.offset ? at_ : it.at_;
}

bool feed_core::read_live() {
    feed_params params;
    params.limit = options_.page_size;
    {
        const std::lock_guard lock(mutex_);
        if (live_.size() == 0) return false;
        params.after = at_;
    }
    auto read = reads_.use([&](repository_reader& from) { return from.read_feed(params); });
    if (!read) {
        report(read.error());
        return false;
    }
    const bool more = read->reset || read->entries.size() == params.limit;
    std::unique_lock lock(mutex_);
    // Positions move when a part was offered: what could not be is offered again.
    if (read->reset) {
        const auto reset = part_without_entries(feed_part::kind::reset, read->oldest);
        live_.for_each([&](subscription& it) {
            if (it.at_ == reset.position) return;
            offer(it, reset);
            it.at_ = reset.position;
        });
        at_ = reset.position;
        // The entry that settled an order may be among those that are gone.
        for (subscription* it : touched_) {
            if (it->live_ && it->until_settled_) leave(*it);
        }
    } else if (!read->entries.empty()) {
        shared_page page(std::move(read->entries), options_.encode);
        offer_to_all(page);
        at_ = page.entries().back().position;
    }
    call_touched(lock);
    return more;
}

void feed_core::offer_to_all(shared_page& page) {
    const auto entries = page.entries();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const journal_entry& entry = entries[i];
        live_.for_candidates(entry, [&](subscription& it) {
            if (entry.position.offset <= it.at_.offset) return;
            if (matches(it.filter_, entry)) {
                offer(it, page.one(i));
                it.at_ = entry.position;
            }
            // Whether or not the filter shows it.
            if (it.until_settled_ && it.filter_.orders[0] == entry.after.id && settles(entry)) {
                it.end();
                touch(it);
            }
        });
    }
    for (subscription* it : live_.everything()) {
        const auto first = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
            return entry.position.offset > it->at_.offset;
        });
        if (first == entries.end()) continue;
        offer(*it, page.from(static_cast<std::size_t>(first - entries.begin())));
        it->at_ = entries.back().position;
    }
}

bool feed_core::step() {
    step_params params;
    {
        const std::lock_guard lock(mutex_);
        stepping_ = next_behind(params);
        hurried_ = !behind_.empty();
        if (!stepping_) return false;
    }
    auto read = read_step(params);
    if (!read) report(read.error());
    std::unique_lock lock(mutex_);
    subscription* const to = std::exchange(stepping_, nullptr);
    if (!read) return false;
    if (!to) return true;  // it has gone meanwhile
    give(*to, *read);
    call_touched(lock);
    return true;
}

// In turn; those that have what the others have join them at once.
subscription* feed_core::next_behind(step_params& params) {
    for (std::size_t i = 0; i < behind_.size();) {
        if (next_behind_ >= behind_.size()) next_behind_ = 0;
        subscription& it = *behind_[next_behind_];
        const bool level = live_.size() > 0 && it.started_ && !it.until_settled_ && it.at_ == at_;
        if (level && it.open()) {
            join(it);
            continue;
        }
        ++i;
        ++next_behind_;
        if (!it.has_room()) continue;
        if (it.started_) params.after = it.at_;
        if (it.filter_.orders.size() == 1) params.order = it.filter_.orders[0].view();
        params.version = it.version_;
        return &it;
    }
    return nullptr;
}

result<feed_core::step_read> feed_core::read_step(const step_params& params) {
    return reads_.use([&](repository_reader& from) -> result<step_read> {
        feed_params feed;
        feed.after = params.after.value_or(feed_position{});
        feed.limit = params.order.empty() && params.after ? options_.step_size : 0;
        auto page = from.read_feed(feed);
        if (!page) return std::move(page).error();
        step_read out{std::move(page->entries), page->oldest, page->newest, page->reset};
        if (!params.after) return out;
        // The history of an order is whole even where the feed begins behind it.
        const bool below = params.after->offset == 0 ||
                           (!params.order.empty() && params.after->epoch == out.oldest.epoch &&
                            params.after->offset < out.oldest.offset);
        if (out.reset && !below) return out;
        if (params.order.empty()) {
            out.whole = !out.reset && out.entries.size() < feed.limit;
            return out;
        }
        // Behind the look at the bounds: what came after it may be among these, nothing that
        // came before is missing.
        out.reset = false;
        history_params history;
        history.order = params.order;
        history.after = params.version;
        history.limit = options_.step_size;
        auto entries = from.history(history);
        if (!entries) return std::move(entries).error();
        out.entries = std::move(*entries);
        out.whole = out.entries.size() < history.limit;
        if (!out.entries.empty()) return out;
        history.after = order_version{0};
        history.limit = 1;
        auto first = from.history(history);
        if (!first) return std::move(first).error();
        out.nothing = first->empty();
        return out;
    });
}

void feed_core::give(subscription& to, step_read& read) {
    if (!to.started_) {
        offer(to, part_without_entries(feed_part::kind::start, read.newest));
        to.at_ = read.newest;
        to.started_ = true;
        return;
    }
    if (read.reset) {
        // Who asks for the beginning gets what is kept.
        if (to.at_.offset != 0) {
            offer(to, part_without_entries(feed_part::kind::reset, read.oldest));
        }
        to.at_ = read.oldest;
        to.version_ = order_version{0};
        to.reset_ = true;
        return;
    }
    const bool gone = to.reset_ || to.at_.offset < read.oldest.offset;
    if (to.until_settled_ && read.nothing && gone) {  // it was purged, and never comes back
        if (!to.reset_) offer(to, part_without_entries(feed_part::kind::reset, read.oldest));
        to.end();
        touch(to);
        return;
    }
    if (!read.entries.empty()) give_entries(to, std::move(read.entries));
    if (!read.whole) return;
    if (to.until_settled_ && to.settled_) {
        to.end();
        touch(to);
        return;
    }
    if (read.newest.offset >= to.at_.offset) to.at_ = read.newest;
    join(to);
}

void feed_core::give_entries(subscription& to, std::vector<journal_entry> entries) {
    shared_page page(std::move(entries), options_.encode);
    const bool all = matches_everything(to.filter_);
    for (std::size_t i = 0; i < page.entries().size(); ++i) {
        const journal_entry& entry = page.entries()[i];
        if (entry.position.offset > to.at_.offset) {
            if (all) {
                offer(to, page.from(i));
                break;
            }
            if (matches(to.filter_, entry)) offer(to, page.one(i));
            to.at_ = entry.position;
        }
        to.version_ = entry.version;
        to.settled_ = settles(entry);
    }
    const feed_position& last = page.entries().back().position;
    if (last.offset > to.at_.offset) to.at_ = last;
}

void feed_core::join(subscription& it) {
    live_.add(it, it.filter_);
    if (live_.size() == 1) at_ = it.at_;
    std::erase(behind_, &it);
    it.live_ = true;
    it.catching_up_ = false;
}

// It reads the history of its order again.
void feed_core::leave(subscription& it) noexcept {
    live_.remove(it, it.filter_);
    it.live_ = false;
    it.reset_ = true;
    it.version_ = order_version{0};
    it.catching_up_ = true;
    behind_.push_back(&it);  // add() made room
}

// One that is behind is given a step only when there is room.
void feed_core::offer(subscription& to, feed_part it) {
    to.offer(std::move(it),
             to.live_ ? options_.buffer_max : std::numeric_limits<std::size_t>::max());
    touch(to);
}

void feed_core::touch(subscription& it) noexcept {
    if (!std::exchange(it.touched_, true)) touched_.push_back(&it);  // add() made room
}

// Once for each page, however many of its entries matched. remove() waits for a call.
void feed_core::call_touched(std::unique_lock<std::mutex>& lock) noexcept {
    caller_ = std::this_thread::get_id();
    while (!touched_.empty()) {
        calling_ = touched_.back();
        touched_.pop_back();
        calling_->touched_ = false;
        feed_listener& who = calling_->who_;
        lock.unlock();
        who.ready();
        lock.lock();
        calling_ = nullptr;
        called_.notify_all();
    }
}

bool feed_core::settles(const journal_entry& it) const noexcept {
    return it.event == "delete" || engine_.machine().is_settled(it.after.status);
}

void feed_core::report(const failure& what) {
    failed_ = true;
    engine_.runtime().observer.error("live_feed", what);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
