// What the feed reads, and who gets it.

#include "feed/feed_core.hpp"

#include "feed/filter.hpp"

#include <algorithm>
#include <limits>
#include <list>
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

// Pages that one subscriber is given at once, if they are there already, and how much of its room
// they may fill.
constexpr std::size_t known_pages_max = 32;
constexpr std::size_t rooms_at_once = 2;

}  // namespace

void feed_core::add(subscription& it) {
    {
        const std::lock_guard lock(mutex_);
        const std::size_t count = count_ + 1;
        if (touched_.capacity() < count) touched_.reserve(2 * count);
        if (behind_.capacity() < count) behind_.reserve(2 * count);
        behind_.push_back(&it);
        it.since_ = numbers_ + 1;
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
    if (--count_ == 0) {
        watching_ = false;
        pages_.clear();
    }
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

// Who is behind, in turn. A page of the journal is given to all that stand somewhere in it, and is
// kept for a moment: those that follow at another pace find it there. Whoever was given a page that
// was read for another one has had its turn, so one that is alone, far behind the others, is read
// for as often as they are together.
bool feed_core::step() {
    step_params params;
    std::unique_lock lock(mutex_);
    pages_.shrink(time().monotonic());
    stepping_ = next_behind(params);
    hurried_ = !behind_.empty();
    if (behind_.empty()) pages_.clear();
    if (!stepping_) {
        call_touched(lock);  // those that were offered something by a step that threw
        return false;
    }
    if (give_known(*stepping_)) {
        stepping_ = nullptr;
        call_touched(lock);
        return true;
    }
    params.number = ++numbers_;
    lock.unlock();
    auto read = read_step(params);
    if (!read) report(read.error());
    lock.lock();
    subscription* const to = std::exchange(stepping_, nullptr);
    if (!read) return false;
    if (params.order.empty() && params.after && !read->reset && !read->entries.empty()) {
        give_shared(params, *read, to);
    } else if (to) {  // else it has gone meanwhile
        give(*to, *read);
    }
    call_touched(lock);
    return true;
}

// In turn; those that have what the others have join them at once.
subscription* feed_core::next_behind(step_params& params) {
    for (bool again = true; std::exchange(again, false);) {
        for (std::size_t left = behind_.size(); left > 0; --left) {
            if (next_behind_ >= behind_.size()) next_behind_ = 0;
            subscription& it = *behind_[next_behind_];
            const bool level =
                live_.size() > 0 && it.started_ && !it.until_settled_ && it.at_ == at_;
            if (level && it.open()) {
                join(it);
                continue;
            }
            ++next_behind_;
            if (!it.has_room()) continue;
            if (std::exchange(it.rode_, false)) {
                again = true;  // if nobody else has room, it is the next one
                continue;
            }
            if (it.started_) params.after = it.at_;
            if (it.filter_.orders.size() == 1) params.order = it.filter_.orders[0].view();
            params.version = it.version_;
            return &it;
        }
    }
    return nullptr;
}

// It follows the journal, and not the history of one order.
bool feed_core::shares(const subscription& it) const noexcept {
    return it.started_ && it.filter_.orders.size() != 1;
}

// From pages that were read before: some at once, so that one that gets little of each needs few
// turns. False: there is none.
bool feed_core::give_known(subscription& to) {
    if (!shares(to)) return false;
    const std::vector<subscription*> alone{&to};
    for (std::size_t i = 0; i < known_pages_max; ++i) {
        journal_page* const known = pages_.find(to.at_, to.since_);
        if (!known) return i > 0;
        give_page(*known, alone);
        if (!to.has_less_than(rooms_at_once)) break;
    }
    return true;
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

// Of the history of its order.
void feed_core::give_entries(subscription& to, std::vector<journal_entry> entries) {
    shared_page page(std::move(entries), options_.encode);
    for (std::size_t i = 0; i < page.entries().size(); ++i) {
        const journal_entry& entry = page.entries()[i];
        if (entry.position.offset > to.at_.offset) {
            if (matches(to.filter_, entry)) offer(to, page.one(i));
            to.at_ = entry.position;
        }
        to.version_ = entry.version;
        to.settled_ = settles(entry);
    }
}

// To the one for which it was read and to all others that stand somewhere in it.
void feed_core::give_shared(const step_params& params, step_read& read, const subscription* first) {
    std::list<journal_page> made;
    made.emplace_back(*params.after, params.number, looked_, std::move(read.entries),
                      options_.encode);
    journal_page& page = made.back();
    std::vector<subscription*> all;
    for (subscription* it : behind_) {
        const bool there = shares(*it) && it->since_ <= page.number && it->has_room();
        if (there && page.first_behind(it->at_)) all.push_back(it);
    }
    give_page(page, all);
    for (subscription* it : all) {
        it->rode_ = it != first;
        if (!read.whole) continue;
        if (read.newest.offset >= it->at_.offset) it->at_ = read.newest;
        join(*it);
    }
    if (!read.whole) pages_.add(std::move(made));  // more may come behind the end
}

// All of them stand in it: page.first_behind() says where. What throws on the way leaves each where
// it was given everything up to.
void feed_core::give_page(journal_page& page, const std::vector<subscription*>& to) {
    const auto entries = page.of.entries();
    subscriber_index there;
    std::size_t first = entries.size();
    for (subscription* it : to) {
        there.add(*it, it->filter_);
        first = std::min(first, page.first_behind(it->at_).value_or(first));
    }
    for (std::size_t i = first; i < entries.size(); ++i) {
        const journal_entry& entry = entries[i];
        there.for_candidates(entry, [&](subscription& it) {
            if (entry.position.offset <= it.at_.offset || !matches(it.filter_, entry)) return;
            offer(it, page.of.one(i));
            it.at_ = entry.position;
        });
    }
    for (subscription* it : there.everything()) {
        const auto from = page.first_behind(it->at_);
        if (!from) continue;
        offer(*it, page.of.from(*from));
        it->at_ = entries.back().position;
    }
    for (subscription* it : to) it->at_ = entries.back().position;
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
