#include "core/caught.hpp"
#include "stages/common/retry_delay.hpp"
#include "stages/worker/worker_impl.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

using detail::job_entry;
using detail::stage_claim;
using detail::work_hint;

namespace {

// Orders in one claim: a claim is part of a transaction that others wait for.
constexpr std::size_t claim_max = 256;
constexpr std::chrono::milliseconds delay_none{0};

// One of the commits since was the claim's own, if it changed anything. It saw what was committed
// before it; another one may have come after it.
bool others_committed(const stage_claim& it, const claim_outcome& answer) noexcept {
    const bool changed = !answer.orders.empty() || answer.failed > 0 || answer.released > 0;
    return it.wakes > (changed ? 1U : 0U);
}

}  // namespace

// An empty claim costs a transaction, so one is made only when there may be something: after a
// commit, when something falls due, and when it polls.
void worker::impl::count_wakes(std::uint64_t wakes) noexcept {
    if (wakes == 0) return;
    for (const auto& it : claims_) {
        if (it->under_way) {
            it->wakes += wakes;
        } else {
            it->wanted = true;
        }
    }
}

// An hint that cannot be noted is left to the next look at the storage.
void worker::impl::take_in(std::shared_ptr<work_hint> what) noexcept {
    const auto of = [&](const auto& it) { return it->stage.waiting == what->stage->waiting; };
    const auto found = std::find_if(claims_.begin(), claims_.end(), of);
    if (found == claims_.end() || what->ids.empty()) return settle(*what, what->ids.size());
    try {
        (*found)->hints.push_back(what);
    } catch (const std::exception& thrown) {
        error("claim", thrown.what());
        (*found)->wanted = true;
        settle(*what, what->ids.size());
    }
}

// done() is the user's, and may throw.
void worker::impl::settle(work_hint& what, std::size_t count) noexcept {
    try {
        what.done(count);
    } catch (const std::exception& thrown) {
        error("hint", thrown.what());
    } catch (...) {
        error("hint", "an unknown exception");
    }
}

void worker::impl::on_claimed(stage_claim& it) noexcept {
    it.under_way = false;
    if (it.abandoned) return;
    --claims_under_way_;
    reserved_ -= it.limit;
    const auto now = with_.time.monotonic();
    if (it.ec) return claim_failed(it, failure{it.ec}, now);

    claim_outcome answer = std::move(it.answer);
    it.failures = 0;
    report_.failed += answer.failed;
    if (it.hinted > 0) {
        on_named(it, answer, now);
    } else {
        on_swept(it, answer, now);
    }
    ++claims_answered_;
    for (claimed_order& claimed : answer.orders) {
        try {
            add(std::move(claimed), it);
        } catch (const std::exception& thrown) {  // left to the end of its lease
            error("claim", thrown.what());
        }
    }
}

void worker::impl::on_swept(stage_claim& it, const claim_outcome& answer, clock::instant now) {
    it.wanted = answer.more || others_committed(it, answer);
    it.next_at = now + options_.poll_interval;
    if (answer.next_due) {
        it.next_at = std::min(it.next_at, now + (*answer.next_due - with_.time.now()));
    }
    if (answer.held) {  // nothing was judged: what was seen of leases still holds
        it.probe_at = {};
        return;
    }
    it.doubts.forget(it.expired);
    if (answer.next_probe.limit > 0) it.probe = answer.next_probe;
    it.doubts.saw(answer.doubtful, now);
    it.next_at = std::min(it.next_at, it.doubts.next_over());
    if (!it.expired.empty()) it.next_at = std::min(it.next_at, it.probe_at);  // it was put off
}

void worker::impl::on_named(stage_claim& it, const claim_outcome& answer, clock::instant now) {
    with_.observer.orders_hinted({it.stage, it.hinted, answer.orders.size()});
    // More of those hinted at: they may not go beside the others of this claim.
    it.wanted = it.wanted || answer.more || others_committed(it, answer);
    // Due orders are found by messages or by polling; next_due may only shorten the wait.
    const auto until = answer.next_due ? *answer.next_due - with_.time.now() : delay_none;
    if (until > delay_none) it.next_at = std::min(it.next_at, now + until);
    while (it.hinted > 0) {
        const auto first = it.hints.front();
        const std::size_t of_it = std::min(it.hinted, first->ids.size() - first->settled);
        first->settled += of_it;
        it.hinted -= of_it;
        if (first->settled == first->ids.size()) it.hints.pop_front();
        settle(*first, of_it);
    }
}

// A worker that commits do not wake has to remember what it put off.
void worker::impl::look_again(const work_stage& stage, std::optional<timestamp> at) {
    if (!at) return;
    const auto due = with_.time.monotonic() + (*at - with_.time.now());
    for (const auto& it : claims_) {
        if (&it->stage == &stage) it->next_at = std::min(it->next_at, due);
    }
}

void worker::impl::add(claimed_order&& claimed, const stage_claim& by) {
    const auto it = std::make_shared<job_entry>(mailbox_, by.stage);
    it->lease = claimed.lease;
    it->isolated = claimed.isolated ? claims_answered_ : 0;
    it->renew_at = by.submitted_at + options_.lease / 3;
    it->work = std::make_shared<job::state>();
    it->work->value = std::move(claimed.value);
    it->work->traceparent = std::move(claimed.traceparent);
    it->work->stage = by.stage.active.view();
    it->work->lease = claimed.lease;
    it->work->key = it->work->value.id.view();
    it->work->key += '/';
    it->work->key += it->work->stage;
    it->work->sink = mailbox_;
    jobs_.add(it);
    it->work->serial = it->serial;
    ++report_.claimed;
    guarded(*it, [&] {
        if (stop_at_) return close(*it, make_release_change(facts(*it)));
        if (it->isolated == 0) begin(*it);
    });
}

void worker::impl::claim_failed(stage_claim& it, const failure& why, clock::instant now) noexcept {
    it.wanted = true;
    it.not_before = now + detail::commit_pause(++it.failures);
    if (why.code == errc::stopped) {
        engine_stopped_ = true;
    } else {
        with_.observer.error("claim", why);
    }
}

bool worker::impl::may_claim() const noexcept {
    return !stop_at_ && !engine_stopped_ && jobs_.isolated() == 0;
}

std::size_t worker::impl::capacity() const noexcept {
    return std::min(options_.in_flight_max, work_.capacity());
}

std::size_t worker::impl::free_places() const noexcept {
    const std::size_t taken = jobs_.size() + reserved_;
    const std::size_t most = capacity();
    return most - std::min(taken, most);
}

void worker::impl::claim_work(clock::instant now) {
    if (!may_claim()) return;
    const auto wants = [now](const std::shared_ptr<stage_claim>& it) {
        return !it->under_way && now >= it->not_before &&
               (it->wanted || now >= it->next_at || !it->hints.empty());
    };
    // Those who want share what is free; who got nothing is first the next time.
    auto wanting = static_cast<std::size_t>(std::count_if(claims_.begin(), claims_.end(), wants));
    const std::size_t first = turn_;
    for (std::size_t i = 0; i < claims_.size() && wanting > 0; ++i) {
        const std::size_t at = (first + i) % claims_.size();
        if (!wants(claims_[at])) continue;
        turn_ = at;
        const std::size_t places = free_places();
        if (places == 0) return;
        turn_ = at + 1;
        submit_claim(claims_[at], std::min(claim_max, (places + wanting - 1) / wanting), now);
        --wanting;
    }
}

// Whether its next claim is for what was hinted at. Polls must not starve.
bool worker::impl::names(const stage_claim& it, clock::instant now) noexcept {
    const bool poll_due = it.wanted || now >= it.next_at;
    return !it.hints.empty() && !(poll_due && it.hinted_last);
}

// At most so many of the orders that were hinted at first.
void worker::impl::name_offered(const stage_claim& it, std::size_t most, claim& what) {
    for (const auto& hint : it.hints) {
        for (std::size_t at = hint->settled; at < hint->ids.size(); ++at) {
            if (what.only.size() == most) return;
            what.only.push_back(hint->ids[at]);
        }
    }
}

// A clock that was ahead has given leases that this clock does not see end. Looking for them is
// for a poll, however often commits wake the worker.
void worker::impl::look_beyond(stage_claim& it, std::size_t limit, clock::instant now,
                               claim& what) const {
    it.expired = it.doubts.over(now, limit);
    what.expired = it.expired;
    if (!what.expired.empty() || now < it.probe_at) return;
    it.probe_at = now + options_.poll_interval;
    what.probe = it.probe;
    what.probe.limit = claim_max;
}

void worker::impl::submit_claim(const std::shared_ptr<stage_claim>& it, std::size_t limit,
                                clock::instant now) {
    claim what;
    what.stage = &it->stage;
    what.worker_id = options_.worker_id;
    what.expires_at = with_.time.now() + options_.lease;
    what.lease = options_.lease;
    what.attempts_max = options_.retry.attempts_max;
    what.backoff_max = detail::longest_backoff(options_.retry);
    it->hinted_last = names(*it, now);
    if (it->hinted_last) {
        name_offered(*it, limit, what);
        limit = what.only.size();
    } else {
        it->wanted = false;
        look_beyond(*it, limit, now, what);
    }
    it->wakes = 0;
    it->hinted = what.only.size();
    what.limit = limit;
    it->limit = limit;
    it->submitted_at = now;
    it->under_way = true;
    it->kept = it;
    result<void> sent = errc::unavailable;
    try {
        sent = engine_.submit(std::move(what), *it);
    } catch (const std::exception& thrown) {
        sent = detail::caught(errc::unavailable, thrown.what());
    }
    if (sent) {
        ++claims_under_way_;
        reserved_ += limit;
        return;
    }
    it->kept.reset();
    it->under_way = false;
    claim_failed(*it, sent.error(), now);
}

}  // namespace v1
}  // namespace orderproc
