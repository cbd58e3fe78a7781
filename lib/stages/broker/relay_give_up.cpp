#include "core/caught.hpp"
#include "stages/broker/relay_impl.hpp"
#include "stages/common/retry_delay.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t route_attempts = 3;
constexpr std::size_t reason_max = 1024;     // bytes of the header
constexpr std::uint32_t pause_longest = 16;  // for commit_pause(), which has a limit of its own

}  // namespace

relay::impl::suspect* relay::impl::find_suspect(const feed_position& at) noexcept {
    if (suspects_.empty()) return nullptr;
    const auto found = suspects_.find(at.offset);
    return found == suspects_.end() ? nullptr : &found->second;
}

relay::impl::suspect& relay::impl::suspected(const feed_position& at, failure why,
                                             clock::instant now) {
    const auto [found, first] = suspects_.try_emplace(at.offset);
    suspect& it = found->second;
    if (first) it.since = now;
    it.why = std::move(why);
    return it;
}

bool relay::impl::exhausted(const suspect& it, clock::instant now) const noexcept {
    return it.tries >= options_.tries && (!it.refused || now >= it.since + options_.refused_for);
}

// False: not now, for it failed. The broker is not to blame, so the connection stays.
bool relay::impl::format(const journal_entry& entry, clock::instant now) {
    address(entry);
    failure why;
    try {
        options_.format(entry, message_);
        written_ = true;
        return true;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& thrown) {
        why = detail::caught(errc::invalid_argument, thrown.what());
    } catch (...) {
        why = errc::invalid_argument;
    }
    why.detail.insert(0, "it cannot be formatted: ");
    note_unsendable(entry, std::move(why), 1, now);
    return false;
}

// The connection and the broker are well, so there is nothing to wait for but time.
void relay::impl::note_unsendable(const journal_entry& entry, failure why, std::size_t tries,
                                  clock::instant now) {
    suspect& it = suspected(entry.position, std::move(why), now);
    it.refused = false;
    it.tries += tries;
    if (exhausted(it, now) && options_.give_up != unpublishable::hold) return;
    it.due = now + detail::commit_pause(
                       static_cast<std::uint32_t>(std::min<std::size_t>(it.tries, pause_longest)));
}

// Whether it is given up: the workers' polls find the order. A copy for the poison queue that no
// queue takes is skipped when it comes round again.
bool relay::impl::note_unrouted(const sent_entry& entry, clock::instant now) {
    suspect& it = suspected(entry.at, failure{errc::not_found, "no queue takes it"}, now);
    if (++it.unrouted < route_attempts) return false;
    if (entry.as != sending::whole) {
        it.never_parks = true;
        return false;
    }
    with_.observer.error("relay.route", {errc::not_found, "no queue takes entry " +
                                                              std::to_string(entry.at.offset)});
    return true;
}

void relay::impl::note_refused(const sent_entry& entry, clock::instant now) {
    if (entry.as != sending::whole) return forgive_refused(now);
    suspect& it = suspected(entry.at, failure{errc::unavailable, "the broker refuses it"}, now);
    it.refused = true;
    ++it.tries;
}

// The outcome of a copy that was sent alone tells about the broker. If it was refused, too, the
// broker has a fault, and that is no fault of the entries. If it was confirmed, the broker may
// have had a fault until now. Either way the entries that it refused have all their tries
// again.
void relay::impl::forgive_refused(clock::instant now) noexcept {
    for (auto& [offset, it] : suspects_) {
        if (!it.refused) continue;
        it.tries = 0;
        it.since = now;
    }
}

// Of an entry that has been tried often enough. False: not now. A broker that has a fault refuses
// everything, so an entry that it refused waits until nothing else is under way.
bool relay::impl::give_up(const journal_entry& entry, suspect& it, clock::instant now) {
    if (it.refused && !sent_.empty()) return false;
    it.order = entry.after.id.view();
    it.event = entry.event;
    if (it.never_parks || options_.give_up == unpublishable::skip) {
        const auto tag = sent_.empty() ? publish_tag{} : sent_.back().tag;  // they ascend
        sent_.push_back({entry.position, entry.at, tag, true, sending::nothing});
        advance(now);
        return true;
    }
    if (it.refused && !written_ && !format(entry, now)) return false;
    write_parked(entry, it);
    return submit_message(entry, it.refused ? sending::copy_alone : sending::copy, now);
}

// The broker has seen a message that it refused, so people find it whole. Any other may be the very
// reason why it cannot be sent.
void relay::impl::write_parked(const journal_entry& entry, const suspect& it) {
    if (!it.refused) {
        address(entry);
        message_.headers.clear();
        message_.id =
            std::to_string(entry.position.epoch) + "-" + std::to_string(entry.position.offset);
    }
    message_.headers.emplace_back(poison_topic_header, std::move(message_.topic));
    message_.headers.emplace_back(poison_reason_header, it.why.message().substr(0, reason_max));
    message_.topic = options_.poison_queue;
    message_.must_route = true;
    written_ = false;
}

void relay::impl::report_given_up(const feed_position& at, suspect& it, unpublishable action) {
    if (std::exchange(it.reported, true)) return;
    ++report_.given_up;
    with_.observer.entry_given_up(
        {options_.cursor, at.epoch, at.offset, it.order, it.event, action, it.why});
}

// The entry is behind the cursor from now on, however it got there.
void relay::impl::acquit(const sent_entry& entry, clock::instant now) {
    suspect* const it = find_suspect(entry.at);
    if (!it) return;
    if (entry.as == sending::nothing) report_given_up(entry.at, *it, unpublishable::skip);
    if (entry.as == sending::copy || entry.as == sending::copy_alone) {
        report_given_up(entry.at, *it, unpublishable::park);
    }
    suspects_.erase(entry.at.offset);
    if (entry.as == sending::copy_alone) forgive_refused(now);
}

feed_wait relay::impl::waits_for() const noexcept {
    const auto is_suspect = [&](const feed_position& at) { return suspects_.contains(at.offset); };
    if (!lease_.leading()) return feed_wait::leader;
    if (!publisher_) return feed_wait::connection;
    if (!sent_.empty()) {
        return is_suspect(sent_.front().at) ? feed_wait::entry : feed_wait::confirms;
    }
    if (pages_.empty()) return feed_wait::nothing;
    return is_suspect(pages_.front().position) ? feed_wait::entry : feed_wait::room;
}

}  // namespace v1
}  // namespace orderproc
