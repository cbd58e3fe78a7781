#ifndef ORDERPROC_STAGES_WORKER_WORKER_MAILBOX_HPP
#define ORDERPROC_STAGES_WORKER_WORKER_MAILBOX_HPP

#include "stages/common/mailbox.hpp"
#include "stages/worker/job_state.hpp"
#include "stages/worker/lease_watch.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/runtime.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

class worker_mailbox;

// A change under way to the engine and its answer under way to the worker. Part of a job_entry,
// which it keeps alive meanwhile.
class job_commit final : public completion {
public:
    explicit job_commit(std::shared_ptr<worker_mailbox> to) noexcept : to_(std::move(to)) {}
    void complete(change_outcome& outcome) noexcept override;

    change_outcome answer;
    bool under_way = false;  // the worker's own view: submitted, answer not taken in
    std::uint64_t serial = 0;

    job_commit* next = nullptr;
    std::shared_ptr<job_commit> kept;

private:
    std::shared_ptr<worker_mailbox> to_;
};

// What a message's receiver says may wait.
struct work_hint {
    const work_stage* stage = nullptr;
    std::vector<std::string> ids;
    std::function<void(std::size_t)> done;
    std::size_t settled = 0;  // of the ids, from the first on

    work_hint* next = nullptr;
    std::shared_ptr<work_hint> kept;
};

// The worker's claims on one stage, one at a time.
class stage_claim final : public claim_completion {
public:
    stage_claim(std::shared_ptr<worker_mailbox> to, const work_stage& on) noexcept
        : stage(on), to_(std::move(to)) {}
    void complete(error_code ec, claim_outcome& outcome) noexcept override;

    const work_stage& stage;
    error_code ec;
    claim_outcome answer;
    bool under_way = false;
    bool abandoned = false;       // its answer does not matter any more
    std::size_t limit = 0;        // of the one under way
    clock::instant submitted_at;  // of the one under way
    bool wanted = true;           // there may be work
    std::uint64_t wakes = 0;      // commits seen since it was submitted
    clock::instant next_at;       // of the next poll, or when something is due
    clock::instant not_before;    // after a failure
    std::uint32_t failures = 0;   // in a row
    std::deque<std::shared_ptr<work_hint>> hints;
    std::size_t hinted = 0;  // of the one under way: how many ids of the hints; 0: it is a poll
    bool hinted_last = false;
    lease_watch doubts;
    std::vector<doubtful_lease> expired;  // of the one under way
    clock::instant probe_at;              // when to look for doubtful leases again…
    due_probe probe;                      // …and where

    stage_claim* next = nullptr;
    std::shared_ptr<stage_claim> kept;

private:
    std::shared_ptr<worker_mailbox> to_;
};

struct worker_mail {
    linked_queue<job::state> verdicts;
    linked_queue<job_commit> commits;
    linked_queue<stage_claim> claims;
    linked_queue<work_hint> hints;
    std::uint64_t wakes = 0;
    std::optional<clock::instant> stop_at;
};

// What other threads have for the worker: verdicts, answers, wake-ups. Bounded by what the worker
// has handed out and, for hints, by those who make them. Jobs and commits share it, so that it
// outlives the worker; once closed it throws away what comes.
class worker_mailbox final : public verdict_sink, public mailbox<worker_mail> {
public:
    using mailbox::mailbox;

    void finished(std::shared_ptr<job::state> said) noexcept override;
    void answered(std::shared_ptr<job_commit> what) noexcept;
    void answered(std::shared_ptr<stage_claim> what) noexcept;
    void hinted(std::shared_ptr<work_hint> what) noexcept;
    void committed() noexcept;  // somebody's orders changed
    void close() noexcept;      // also the notifier. REQUIRES: not from on_ready

private:
    template <class Queue, class Item>
    void post(Queue worker_mail::*queue, Item item) noexcept;

    std::atomic<bool> closed_{false};
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
