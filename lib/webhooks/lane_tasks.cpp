// What somebody asked for: tests, replays, and the end of an endpoint.

#include "stages/common/retry_delay.hpp"
#include "webhooks/event_body.hpp"
#include "webhooks/lane.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::size_t replay_page = 64;
constexpr std::uint32_t replay_tries = 3;
constexpr std::chrono::seconds replay_pause(5);
constexpr std::size_t cleaned_at_once = 200;
constexpr std::string_view cleaned_collections[] = {parked_collection, attempts_collection,
                                                    tasks_collection};

}  // namespace

// Ends a cursor, and itself.
class lane::cursor_removal final : public cursor_completion {
public:
    cursor_removal(std::shared_ptr<std::atomic<removal>> done,
                   std::shared_ptr<std::atomic<bool>> has_mail, std::shared_ptr<sender_mailbox> to)
        : done_(std::move(done)), has_mail_(std::move(has_mail)), to_(std::move(to)) {}
    void complete(const cursor_outcome& outcome) noexcept override {
        const std::unique_ptr<cursor_removal> self(this);
        *done_ = outcome.ec ? removal::failed : removal::done;
        *has_mail_ = true;
        to_->notifier.notify();
    }

private:
    const std::shared_ptr<std::atomic<removal>> done_;
    const std::shared_ptr<std::atomic<bool>> has_mail_;
    const std::shared_ptr<sender_mailbox> to_;
};

lane_task* lane::find_task(const std::string& key) noexcept {
    const auto at = std::find_if(tasks_.begin(), tasks_.end(),
                                 [&](const lane_task& it) { return it.key == key; });
    return at == tasks_.end() ? nullptr : &*at;
}

void lane::set_tasks(const std::vector<record>& all) {
    if (!tasks_.empty() || !all.empty()) touched_ = true;
    std::erase_if(tasks_, [&](const lane_task& it) {
        return !it.begun && std::none_of(all.begin(), all.end(),
                                         [&](const record& one) { return one.key == it.key; });
    });
    for (const record& one : all) {
        if (find_task(one.key)) continue;
        auto what = decode_task(one.value);
        if (!what) continue;
        lane_task made;
        made.key = one.key;
        made.version = one.version;
        made.what = std::move(*what);
        tasks_.push_back(std::move(made));
    }
}

// One after the other, in the order in which they were asked for.
void lane::run_tasks(clock::instant now) {
    if (tasks_.empty() || now < held_until_) return;
    const auto begun =
        std::find_if(tasks_.begin(), tasks_.end(), [](const lane_task& it) { return it.begun; });
    const auto first = std::min_element(
        tasks_.begin(), tasks_.end(),
        [](const lane_task& a, const lane_task& b) { return a.what.at < b.what.at; });
    lane_task& it = begun != tasks_.end() ? *begun : *first;
    if (it.ending) return;
    if (it.finished) return end_task(it);
    if (it.what.test) {
        run_test(it);
    } else {
        run_replay(it, now);
    }
}

void lane::run_test(lane_task& it) {
    if (it.begun || !has_slot()) return;
    letter what{source::test,
                "test-" + it.key.substr(endpoint_.id.size() + 1) + "." + endpoint_.id,
                {},
                {}};
    outgoing_event event;
    event.body = std::make_shared<const std::string>(
        make_test_body(what.event, it.what.at, endpoint_, core_.options.source));
    send(std::move(what), event,
         [this, key = it.key](const webhook_response&, std::optional<timestamp>&) {
             if (lane_task* const done = find_task(key)) done->finished = true;
         });
    it.begun = true;
}

void lane::run_replay(lane_task& it, clock::instant now) {
    it.begun = true;
    while (!replay_.empty() && replay_.front().is == outgoing_event::state::done) {
        it.what.after = replay_.front().at;
        replay_.pop_front();
    }
    if (replay_.empty() && replay_ended_) {
        it.finished = true;
        return end_task(it);
    }
    if (replay_.empty() && now >= replay_due_) read_replay(it, now);
    if (now >= probe_due_) send_replay(now);
}

void lane::read_replay(lane_task& it, clock::instant now) {
    const auto page = core_.journal.use([&](repository_reader& from) {
        return from.read_feed({it.what.after, replay_page});
    });
    if (!page) {
        core_.with.observer.error("webhooks.read", page.error());
        replay_due_ = now + commit_pause(1);
        return;
    }
    if (page->reset) {  // purged meanwhile; or another journal, which has nothing of it
        const bool purged = page->oldest.offset > it.what.after.offset;
        replay_ended_ = !purged || page->oldest.offset >= it.what.until;
        if (purged) it.what.after = page->oldest;
        return;
    }
    replay_ended_ = page->entries.size() < replay_page;
    for (const journal_entry& one : page->entries) {
        if (one.position.offset > it.what.until) {
            replay_ended_ = true;
            break;
        }
        if (matches_filter(one)) replay_.push_back(to_event(one));
    }
    if (replay_ended_) return;
    outgoing_event mark;
    mark.at = page->entries.back().position;
    mark.is = outgoing_event::state::done;
    replay_.push_back(std::move(mark));
    save_task(it);
}

// What is new goes first: a replay leaves it a slot.
void lane::send_replay(clock::instant now) {
    for (outgoing_event& it : replay_) {
        if (it.is != outgoing_event::state::waiting || now < it.due) continue;
        const bool alone = allowed() == 1 && window_.empty();
        if (!has_slot() || (!alone && flights_.size() + 1 >= allowed())) return;
        const bool behind = std::any_of(replay_.begin(), replay_.end(), [&](const auto& other) {
            return other.number == it.number && other.version < it.version &&
                   other.is != outgoing_event::state::done;
        });
        if (behind || busy_.contains(it.number)) continue;
        letter what{source::replay, event_id(it.at, endpoint_.id), it.order, it.at, it.version,
                    it.failures + 1};
        send(std::move(what), it,
             [this, &it](const webhook_response& got, std::optional<timestamp>& next_at) {
                 const bool failed = got.status / 100 != 2 || !got.error.empty();
                 const bool again = failed && ++it.failures < replay_tries;
                 it.is = again ? outgoing_event::state::waiting : outgoing_event::state::done;
                 if (!again) return;
                 it.due = core_.with.time.monotonic() + replay_pause;
                 next_at = core_.with.time.now() + replay_pause;
             });
        it.is = outgoing_event::state::sending;
    }
}

// How far it has come, for whoever goes on after a crash.
void lane::save_task(lane_task& it) {
    auto what = replace_of(tasks_collection, it.key, it.version, encode(it.what));
    core_.write(std::move(what), [weak = weak_from_this(), key = it.key](record_outcome& outcome) {
        const auto self = weak.lock();
        lane_task* const of = self ? self->find_task(key) : nullptr;
        if (self) self->touched_ = true;
        if (of && outcome.present) of->version = outcome.present->version;
    });
}

void lane::end_task(lane_task& it) {
    auto what = removal_of(tasks_collection, it.key, it.version);
    core_.write(std::move(what), [weak = weak_from_this(), key = it.key](record_outcome& outcome) {
        const auto self = weak.lock();
        lane_task* const of = self ? self->find_task(key) : nullptr;
        if (self) self->touched_ = true;
        if (!of) return;
        if (outcome.present) of->version = outcome.present->version;
        of->ending = false;
        if (outcome.ec && outcome.ec != errc::not_found) return;
        std::erase_if(self->tasks_, [&](const lane_task& one) { return one.key == key; });
        self->replay_.clear();
        self->replay_ended_ = false;
    });
    it.ending = true;
}

// Of an endpoint that was removed: first what it has, then its cursor, then itself.
void lane::clean(clock::instant now) {
    if (cursor_removed_ && *cursor_removed_ == removal::done) return remove_endpoint(now);
    if (cursor_removed_ && *cursor_removed_ == removal::failed) cursor_removed_.reset();
    if (!leading() || cursor_removed_ || removing_ > 0 || now < clean_due_) return;
    clean_due_ = now + commit_pause(1);
    std::vector<change_record> gone;
    const auto read = core_.journal.use([&](repository_reader& from) -> result<void> {
        gone.clear();
        for (const std::string_view of : cleaned_collections) {
            auto done = for_records(from, of, prefix_of(endpoint_.id), [&](const record& it) {
                gone.push_back(removal_of(of, it.key, it.version));
                return gone.size() < cleaned_at_once;
            });
            if (!done) return done;
            if (gone.size() >= cleaned_at_once) return {};
        }
        auto sent = from.find_record({sent_collection, endpoint_.id});
        if (!sent) return std::move(sent).error();
        if (*sent) gone.push_back(removal_of(sent_collection, endpoint_.id, (*sent)->version));
        return {};
    });
    if (!read) return core_.with.observer.error("webhooks.read", read.error());
    if (gone.empty()) return remove_cursor();
    for (change_record& it : gone) {
        core_.write(std::move(it), [weak = weak_from_this()](record_outcome& outcome) {
            const auto self = weak.lock();
            if (!self) return;
            self->touched_ = true;
            --self->removing_;
            if (!outcome.ec) self->clean_due_ = clock::instant::min();
        });
        ++removing_;
    }
}

void lane::remove_endpoint(clock::instant now) {
    if (cleaned_ || now < clean_due_) return;
    auto what = removal_of(webhook_collection, endpoint_.id, endpoint_.version);
    core_.write(std::move(what), [weak = weak_from_this()](record_outcome& outcome) {
        const auto self = weak.lock();
        const bool gone =
            !outcome.ec || outcome.ec == errc::not_found || outcome.ec == errc::stopped;
        if (self) self->touched_ = true;
        if (!self || gone) return;
        self->cleaned_ = false;
        self->clean_due_ = self->core_.with.time.monotonic() + commit_pause(1);
    });
    cleaned_ = true;
}

void lane::remove_cursor() {
    const auto state = std::make_shared<std::atomic<removal>>(removal::pending);
    auto done = std::make_unique<cursor_removal>(state, has_mail_, core_.mailbox);
    commit_cursor what;
    what.name = cursor_name(endpoint_.id);
    what.owner = lease_->terms().owner;
    what.expires_at = core_.with.time.now();
    what.remove = true;
    if (!core_.orders.submit(std::move(what), *done)) return;
    (void)done.release();
    cursor_removed_ = state;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
