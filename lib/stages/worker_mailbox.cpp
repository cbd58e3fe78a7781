#include "stages/worker_mailbox.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

void job_commit::complete(change_outcome& outcome) noexcept {
    answer = std::move(outcome);
    const auto to = to_;  // the worker may let go of everything else before answered() returns
    to->answered(std::move(kept));
}

void stage_claim::complete(error_code failed, claim_outcome& outcome) noexcept {
    ec = failed;
    answer = std::move(outcome);
    const auto to = to_;
    to->answered(std::move(kept));
}

template <class Queue, class Item>
void worker_mailbox::post(Queue mail::*queue, Item item) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (!closed_) (mail_.*queue).push(std::move(item));
    }
    notifier.notify();
}

void worker_mailbox::finished(std::shared_ptr<job::state> said) noexcept {
    post(&mail::verdicts, std::move(said));
}

void worker_mailbox::answered(std::shared_ptr<job_commit> what) noexcept {
    post(&mail::commits, std::move(what));
}

void worker_mailbox::answered(std::shared_ptr<stage_claim> what) noexcept {
    post(&mail::claims, std::move(what));
}

void worker_mailbox::hinted(std::shared_ptr<work_hint> what) noexcept {
    post(&mail::hints, std::move(what));
}

void worker_mailbox::committed() noexcept {
    {
        const std::lock_guard lock(mutex_);
        ++mail_.wakes;
    }
    notifier.notify();
}

void worker_mailbox::stop_at(clock::instant deadline) noexcept {
    {
        const std::lock_guard lock(mutex_);
        mail_.stop_at = mail_.stop_at ? std::min(*mail_.stop_at, deadline) : deadline;
    }
    notifier.notify();
}

worker_mailbox::mail worker_mailbox::empty() noexcept {
    return {std::move(mail_.verdicts), std::move(mail_.commits),      std::move(mail_.claims),
            std::move(mail_.hints),    std::exchange(mail_.wakes, 0), mail_.stop_at};
}

worker_mailbox::mail worker_mailbox::take() noexcept {
    const std::lock_guard lock(mutex_);
    return empty();
}

void worker_mailbox::close() noexcept {
    notifier.close();
    std::unique_lock lock(mutex_);
    closed_ = true;
    const mail left = empty();
    lock.unlock();  // before what is left goes
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
