#include "stages/worker/worker_mailbox.hpp"

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
void worker_mailbox::post(Queue worker_mail::*queue, Item item) noexcept {
    leave([&](worker_mail& mail) {
        if (!closed_) (mail.*queue).push(std::move(item));
    });
}

void worker_mailbox::finished(std::shared_ptr<job::state> said) noexcept {
    post(&worker_mail::verdicts, std::move(said));
}

void worker_mailbox::answered(std::shared_ptr<job_commit> what) noexcept {
    post(&worker_mail::commits, std::move(what));
}

void worker_mailbox::answered(std::shared_ptr<stage_claim> what) noexcept {
    post(&worker_mail::claims, std::move(what));
}

void worker_mailbox::hinted(std::shared_ptr<work_hint> what) noexcept {
    post(&worker_mail::hints, std::move(what));
}

void worker_mailbox::committed() noexcept {
    leave([](worker_mail& mail) { ++mail.wakes; });
}

// What comes in between is taken, or it sees that this is closed: it is left under the same lock.
void worker_mailbox::close() noexcept {
    notifier.close();
    closed_ = true;
    const worker_mail left = take();
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
