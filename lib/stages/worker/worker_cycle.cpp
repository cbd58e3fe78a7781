#include "core/caught.hpp"
#include "stages/common/retry_delay.hpp"
#include "stages/worker/worker_impl.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace orderproc {
inline namespace v1 {

using detail::job_commit;
using detail::job_entry;
using detail::job_phase;
using detail::verdict_effect;

namespace {

// How long commits are waited for after the deadline of a shutdown. What is not through then
// is left to the end of its lease, as after a crash.
constexpr std::chrono::seconds release_patience(5);

// The storage judged the change and said no: sending it again makes no sense.
bool refused(const error_code& ec) {
    return ec.category() == orderproc_category() && ec.value() >= 1 &&
           ec.value() <= static_cast<int>(errc::lease_lost);
}

std::string text_of(const std::exception& thrown) {
    const std::string_view text = thrown.what();
    return text.empty() ? "an exception without a text" : std::string(text);
}

}  // namespace

void worker::impl::error(std::string_view where, const char* what) noexcept {
    with_.observer.error(where, detail::caught(errc::unavailable, what));
}

// Nothing that is thrown here gets out: a host whose call failed would not know when to call again.
cycle_report worker::impl::cycle() noexcept {
    report_ = {};
    mailbox_->notifier.begin();
    bool failed = true;
    try {
        step();
        failed = false;
    } catch (const std::exception& thrown) {
        error("worker", thrown.what());
    } catch (...) {
        error("worker", "an unknown exception");
    }
    tell_of_itself();
    const auto now = with_.time.monotonic();
    report_.in_flight = in_flight();
    const bool notified = mailbox_->notifier.end();
    report_.next_due = failed ? now + detail::commit_pause(1) : notified ? now : next_due(now);
    return report_;
}

// An order that it holds is worth more than what it says of itself: what is thrown here is
// reported.
void worker::impl::tell_of_itself() noexcept try {
    presence_.count(
        {report_.claimed, report_.advanced, report_.retried, report_.failed, report_.lease_lost});
    if (stop_at_ && in_flight() == 0) return presence_.leave();
    presence_.tell(jobs_.size(), capacity(), stop_at_.has_value());
} catch (const std::exception& thrown) {
    error("worker.record", thrown.what());
}

void worker::impl::step() {
    take_in(mailbox_->take());
    if (stop_at_) shut_down(with_.time.monotonic());
    attend(with_.time.monotonic());
    if (!stop_at_ && claims_under_way_ == 0) {
        for (const auto& it : jobs_.next_apart()) guarded(*it, [&] { begin(*it); });
    }
    claim_work(with_.time.monotonic());
}

// Each item on its own: what is thrown for one must not lose the others.
void worker::impl::take_in(detail::worker_mail mail) noexcept {
    if (mail.stop_at) stop_at_ = mail.stop_at;
    while (const auto said = mail.verdicts.pop()) {
        if (const auto it = jobs_.find(said->serial)) guarded(*it, [&] { on_verdict(*it, *said); });
    }
    while (const auto answered = mail.commits.pop()) {
        const auto it = jobs_.find(answered->serial);
        if (!it) continue;  // dropped meanwhile
        guarded(*it, [&] { answered.get() == &it->closing ? on_closed(*it) : on_renewed(*it); });
    }
    // Before the claims: they tell which of these commits were their own.
    count_wakes(mail.wakes);
    while (const auto claimed = mail.claims.pop()) on_claimed(*claimed);
    while (auto hint = mail.hints.pop()) take_in(std::move(hint));
}

void worker::impl::on_verdict(job_entry& it, job::state& from) {
    if (it.phase != job_phase::running) return;  // too late: it timed out, or was released
    verdict said = std::move(from.said);
    if (from.abandoned) said = retry_later{it.thrown.empty() ? "not finished" : it.thrown, {}};
    close(it, make_verdict_change(facts(it), said, engine_.machine(), options_.retry, with_));
}

void worker::impl::on_closed(job_entry& it) {
    it.closing.under_way = false;
    const change_outcome& answer = it.closing.answer;
    if (!answer.ec) return succeed(it);
    if (answer.ec == errc::stopped) return drop(it);
    if (refused(answer.ec)) {
        const bool ours =
            it.unsure && answer.after && happened(it.decided, it.work->value, *answer.after);
        return ours ? succeed(it) : lose(it);
    }
    if (answer.ec == errc::outcome_unknown) it.unsure = true;
    it.submit_at = with_.time.monotonic() + detail::commit_pause(++it.failures);
    jobs_.schedule(it);
}

void worker::impl::on_renewed(job_entry& it) {
    it.renewal.under_way = false;
    if (it.phase == job_phase::closing) return;  // its own change says what became of the lease
    const error_code ec = it.renewal.answer.ec;
    if (ec == errc::stopped) return drop(it);
    if (refused(ec)) return lose(it);
    if (ec) {
        it.renew_at = with_.time.monotonic() + detail::commit_pause(++it.renew_failures);
    } else {
        it.renew_failures = 0;
    }
    jobs_.schedule(it);
}

void worker::impl::attend(clock::instant now) {
    while (const auto it = jobs_.due(now)) {
        guarded(*it, [&] {
            if (it->phase == job_phase::closing) return send(*it);
            if (it->phase == job_phase::running && now >= it->timeout_at) return time_out(*it);
            renew(*it, now);
        });
    }
}

void worker::impl::begin(job_entry& it) {
    it.started_at = with_.time.monotonic();
    it.timeout_at = it.started_at + options_.timeout;
    jobs_.enter(it, job_phase::running);
    try {
        work_.start(job(it.work));
    } catch (const std::exception& thrown) {
        // The job says itself what becomes of it: it was destroyed on the way here, unless the
        // processor finished it or handed it on before it threw.
        it.thrown = text_of(thrown);
    } catch (...) {
        it.thrown = "the processor threw what is no std::exception";
    }
}

void worker::impl::time_out(job_entry& it) {
    close(it, make_timeout_change(facts(it), options_.timeout, engine_.machine(), options_.retry,
                                  with_));
    it.work->stop.request_stop();  // when it no longer matters what the job says
}

void worker::impl::close(job_entry& it, detail::verdict_change decided) {
    const auto now = with_.time.monotonic();
    if (it.phase == job_phase::running) it.duration = now - it.started_at;
    it.decided = std::move(decided);
    it.submit_at = now;
    jobs_.enter(it, job_phase::closing);
    send(it);
}

void worker::impl::send(job_entry& it) {
    submit(it, it.closing, it.decided.what);
}

void worker::impl::renew(job_entry& it, clock::instant now) {
    it.renew_at = now + options_.lease / 3;
    submit(it, it.renewal, make_renewal(facts(it), with_.time.now() + options_.lease));
}

void worker::impl::submit(job_entry& it, job_commit& as, change what) {
    as.serial = it.serial;
    as.kept = std::shared_ptr<job_commit>(jobs_.find(it.serial), &as);
    as.under_way = true;
    result<void> sent = errc::unavailable;
    try {
        sent = engine_.submit(std::move(what), as);
    } catch (...) {
        as.kept.reset();
        throw;
    }
    if (sent) return jobs_.schedule(it);
    as.kept.reset();
    engine_stopped_ = engine_stopped_ || sent.error().code == errc::stopped;
    drop(it);
}

void worker::impl::succeed(job_entry& it) {
    switch (it.decided.effect) {
        case verdict_effect::advanced:
            ++report_.advanced;
            break;
        case verdict_effect::retried:
            ++report_.retried;
            look_again(it.stage,
                       std::get<transition_order>(it.decided.what.action).next_attempt_at);
            break;
        case verdict_effect::failed:
            ++report_.failed;
            break;
        case verdict_effect::handed_over:
            ++report_.handed_over;
            break;
        case verdict_effect::released:
            break;
    }
    const order& value = it.work->value;
    const auto* const move = std::get_if<transition_order>(&it.decided.what.action);
    with_.observer.attempt_finished({value.id.view(), it.work->stage, value.attempts,
                                     it.decided.outcome, move ? move->reason : std::string_view(),
                                     it.duration, it.work->traceparent,
                                     it.decided.effect == verdict_effect::failed});
    jobs_.remove(it);
}

void worker::impl::lose(job_entry& it) {
    ++report_.lease_lost;
    with_.observer.lease_lost(it.work->value.id.view());
    drop(it);
}

void worker::impl::drop(job_entry& it) noexcept {
    jobs_.remove(it);
    it.work->stop.request_stop();
}

void worker::impl::shut_down(clock::instant now) {
    const auto release = [&](job_phase phase) {
        for (const auto& it : jobs_.in_phase(phase)) {
            guarded(*it, [&] {
                close(*it, make_release_change(facts(*it)));
                it->work->stop.request_stop();
            });
        }
    };
    release(job_phase::held);
    if (now < *stop_at_) return;
    release(job_phase::running);
    if (now >= *stop_at_ + release_patience && in_flight() > 0) abandon();
}

void worker::impl::abandon() {
    error("shutdown", "orders are left to the end of their leases");
    for (const auto& it : jobs_.in_phase(job_phase::closing)) drop(*it);
    for (const auto& it : claims_) it->abandoned = it->under_way;
    claims_under_way_ = 0;
}

std::size_t worker::impl::in_flight() const noexcept {
    return jobs_.size() + (stop_at_ ? claims_under_way_ : 0);
}

clock::instant worker::impl::next_due(clock::instant now) const {
    auto due = std::min(jobs_.next_due().value_or(clock::instant::max()), presence_.next_due());
    if (stop_at_) {
        if (in_flight() == 0) return due;
        return std::min(due, now < *stop_at_ ? *stop_at_ : *stop_at_ + release_patience);
    }
    if (!may_claim() || free_places() == 0) return due;
    for (const auto& it : claims_) {
        if (it->under_way) continue;
        const bool at_once = it->wanted || !it->hints.empty();
        due = std::min(due, std::max(at_once ? now : it->next_at, it->not_before));
    }
    return due;
}

detail::attempt_facts worker::impl::facts(const job_entry& it) const {
    const order& value = it.work->value;
    return {value.id.view(), value.attempts, it.stage, it.lease, options_.worker_id};
}

}  // namespace v1
}  // namespace orderproc
