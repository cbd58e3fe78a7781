#include "live/live_feed.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace orderproc::server {

live_feed::live_feed(engine& orders, reader& reads, live_feed_options options)
    : engine_(orders), reads_(reads), options_(std::move(options)) {
    engine_.add_listener(*this);
    if (options_.thread) thread_ = std::jthread([this] { run(); });
}

live_feed::~live_feed() {
    engine_.remove_listener(*this);
    {
        const std::lock_guard lock(sleep_mutex_);
        stopping_ = true;
    }
    awake_.notify_all();
}

std::unique_ptr<http::body_source> live_feed::subscribe(subscription_request what) {
    return std::make_unique<subscription>(*this, std::move(what));
}

void live_feed::add(subscription& it) {
    {
        const std::lock_guard lock(mutex_);
        behind_.push_back(&it);
        ++clients_;
        touched_.reserve(clients_);
        watching_ = true;
    }
    poke();
}

void live_feed::remove(subscription& it) noexcept {
    const std::lock_guard lock(mutex_);
    if (it.live_) {
        live_.remove(it, it.filter_);
    } else if (std::erase(behind_, &it) == 0) {
        return;  // it never got in
    }
    std::erase(touched_, &it);
    if (stepping_ == &it) stepping_ = nullptr;
    if (--clients_ == 0) watching_ = false;
}

// On the thread that commits.
void live_feed::committed() noexcept {
    if (watching_.load(std::memory_order_relaxed)) poke();
}

void live_feed::poke() noexcept {
    if (pending_.exchange(true)) return;
    { const std::lock_guard lock(sleep_mutex_); }
    awake_.notify_one();
}

void live_feed::run() {
    while (wait()) {
        try {
            while (run_once()) {
                const std::lock_guard lock(sleep_mutex_);
                if (stopping_) return;
            }
        } catch (const std::exception& thrown) {
            failure why = errc::unavailable;
            try {
                why.detail = thrown.what();
            } catch (const std::exception&) {  // memory has run out: the code has to do
            }
            report(why);
        }
    }
}

bool live_feed::wait() {
    std::unique_lock lock(sleep_mutex_);
    const auto called = [this] { return stopping_ || pending_.load(); };
    const auto stopping = [this] { return stopping_; };
    if (std::exchange(failed_, false)) {
        awake_.wait_for(lock, options_.retry, stopping);
    } else if (watching_) {
        awake_.wait_for(lock, options_.poll_interval, called);
        if (!hurried_) awake_.wait_until(lock, looked_ + options_.rest, stopping);
    } else {
        awake_.wait(lock, called);
    }
    pending_ = false;
    return !stopping_;
}

bool live_feed::run_once() {
    looked_ = std::chrono::steady_clock::now();
    const bool more_live = read_live();
    const bool more_behind = step();
    return more_live || more_behind;
}

bool live_feed::read_live() {
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
    const std::lock_guard lock(mutex_);
    if (read->reset) {
        at_ = read->oldest;
        live_.for_each([&](subscription& it) {
            if (it.at_ == at_) return;
            it.at_ = at_;
            offer(it, reset_event(at_), nullptr);
        });
    } else if (!read->entries.empty()) {
        at_ = read->entries.back().position;
        event_page page(std::move(read->entries), options_.event_source);
        offer_to_all(page);
    }
    wake_touched();
    return more;
}

void live_feed::offer_to_all(event_page& page) {
    const auto entries = page.entries();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const journal_entry& entry = entries[i];
        live_.for_candidates(entry, [&](subscription& it) {
            if (entry.position.offset <= it.at_.offset || !it.filter_.matches(entry)) return;
            it.at_ = entry.position;
            offer(it, page.one(i), &entry);
        });
    }
    for (subscription* it : live_.everything()) {
        const auto first = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
            return entry.position.offset > it->at_.offset;
        });
        if (first == entries.end()) continue;
        it->at_ = entries.back().position;
        offer(*it, page.from(static_cast<std::size_t>(first - entries.begin())), nullptr);
    }
}

bool live_feed::step() {
    step_params params;
    {
        const std::lock_guard lock(mutex_);
        stepping_ = next_behind(params);
        hurried_ = !behind_.empty();
        if (!stepping_) return false;
    }
    auto read = read_step(params);
    if (!read) report(read.error());
    const std::lock_guard lock(mutex_);
    subscription* const to = std::exchange(stepping_, nullptr);
    if (!read) return false;
    if (!to) return true;  // it has gone meanwhile
    give(*to, *read);
    wake_touched();
    return true;
}

// In turn; those who already have what the others have join them at once.
subscription* live_feed::next_behind(step_params& params) {
    for (std::size_t i = 0; i < behind_.size();) {
        if (next_behind_ >= behind_.size()) next_behind_ = 0;
        subscription& it = *behind_[next_behind_];
        const bool level = live_.size() > 0 && !it.until_settled_ && it.at_.epoch == at_.epoch &&
                           it.at_.offset >= at_.offset;
        if (level && it.open()) {
            join(it);
            continue;
        }
        ++i;
        ++next_behind_;
        if (!it.has_room()) continue;
        params = {it.filter_.order, it.at_, it.version_};
        return &it;
    }
    return nullptr;
}

result<live_feed::step_read> live_feed::read_step(const step_params& params) {
    return reads_.use([&](repository_reader& from) -> result<step_read> {
        feed_params feed;
        feed.after = params.after;
        feed.limit = params.order ? 0 : options_.step_size;
        auto page = from.read_feed(feed);
        if (!page) return std::move(page).error();
        step_read out{std::move(page->entries), page->oldest, page->newest, page->reset};
        if (out.reset && params.after.offset != 0) return out;
        if (!params.order) {
            out.whole = !out.reset && out.entries.size() < feed.limit;
            return out;
        }
        // Behind the look at the bounds: what came after it may be among these, nothing that
        // came before is missing.
        out.reset = false;
        history_params history;
        history.order = *params.order;
        history.after = params.version;
        history.limit = options_.step_size;
        auto entries = from.history(history);
        if (!entries) return std::move(entries).error();
        out.entries = std::move(*entries);
        out.whole = out.entries.size() < history.limit;
        return out;
    });
}

void live_feed::give(subscription& to, step_read& read) {
    if (read.reset) {
        // Who asks for the beginning gets what is kept.
        if (to.at_.offset != 0) offer(to, reset_event(read.oldest), nullptr);
        to.at_ = read.oldest;
        to.version_ = order_version{0};
        return;
    }
    event_page page(std::move(read.entries), options_.event_source);
    const auto entries = page.entries();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const journal_entry& entry = entries[i];
        to.version_ = entry.version;
        to.settled_ = settled(entry);
        if (entry.position.offset <= to.at_.offset) continue;
        if (to.filter_.everything()) {
            offer(to, page.from(i), nullptr);
            break;
        }
        if (to.filter_.matches(entry)) offer(to, page.one(i), nullptr);
    }
    if (!entries.empty() && entries.back().position.offset > to.at_.offset) {
        to.at_ = entries.back().position;
    }
    if (!read.whole) return;
    if (read.newest.offset >= to.at_.offset) to.at_ = read.newest;
    if (to.until_settled_ && to.settled_) {
        to.end();
        if (!std::exchange(to.touched_, true)) touched_.push_back(&to);
    } else {
        join(to);
    }
}

void live_feed::join(subscription& it) {
    live_.add(it, it.filter_);
    if (live_.size() == 1) at_ = it.at_;
    std::erase(behind_, &it);
    it.live_ = true;
    it.catching_up_ = false;
}

void live_feed::offer(subscription& to, http::piece it, const journal_entry* entry) {
    // Who is behind is given a page only when there is room.
    to.offer(std::move(it), to.live_ ? options_.buffer_max : std::string::npos);
    if (entry && to.until_settled_ && settled(*entry)) to.end();
    if (!std::exchange(to.touched_, true)) touched_.push_back(&to);
}

// Once for each page, however many of its entries matched.
void live_feed::wake_touched() {
    for (subscription* it : touched_) {
        it->touched_ = false;
        it->by_->wake();
    }
    touched_.clear();
}

bool live_feed::settled(const journal_entry& it) const noexcept {
    return it.event == "delete" || engine_.machine().is_settled(it.after.status);
}

void live_feed::report(const failure& what) {
    failed_ = true;
    engine_.runtime().observer.error("live_feed", what);
}

}  // namespace orderproc::server
