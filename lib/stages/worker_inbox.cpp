#include "stages/worker_inbox.hpp"

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
void worker_inbox::post(Queue mail::*queue, Item item) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (!closed_) (mail_.*queue).push(std::move(item));
    }
    rings.ring();
}

void worker_inbox::finished(std::shared_ptr<job::state> said) noexcept {
    post(&mail::verdicts, std::move(said));
}

void worker_inbox::answered(std::shared_ptr<job_commit> what) noexcept {
    post(&mail::commits, std::move(what));
}

void worker_inbox::answered(std::shared_ptr<stage_claim> what) noexcept {
    post(&mail::claims, std::move(what));
}

void worker_inbox::offered(std::shared_ptr<work_offer> what) noexcept {
    post(&mail::offers, std::move(what));
}

void worker_inbox::committed() noexcept {
    {
        const std::lock_guard lock(mutex_);
        ++mail_.wakes;
    }
    rings.ring();
}

void worker_inbox::stop_at(clock::instant deadline) noexcept {
    {
        const std::lock_guard lock(mutex_);
        mail_.stop_at = mail_.stop_at ? std::min(*mail_.stop_at, deadline) : deadline;
    }
    rings.ring();
}

worker_inbox::mail worker_inbox::empty() noexcept {
    return {std::move(mail_.verdicts), std::move(mail_.commits),      std::move(mail_.claims),
            std::move(mail_.offers),   std::exchange(mail_.wakes, 0), mail_.stop_at};
}

worker_inbox::mail worker_inbox::take() noexcept {
    const std::lock_guard lock(mutex_);
    return empty();
}

void worker_inbox::close() noexcept {
    rings.close();
    std::unique_lock lock(mutex_);
    closed_ = true;
    const mail left = empty();
    lock.unlock();  // before what is left goes
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
