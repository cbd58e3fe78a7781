#ifndef ORDERPROC_STAGES_WORKER_WORKER_IMPL_HPP
#define ORDERPROC_STAGES_WORKER_WORKER_IMPL_HPP

#include "stages/common/stage_life.hpp"
#include "stages/worker/job_table.hpp"
#include "stages/worker/worker_mailbox.hpp"
#include "stages/worker/worker_presence.hpp"

#include <orderproc/worker.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// What others do to it is in worker.cpp, what its own thread does in worker_cycle.cpp and
// worker_claims.cpp.
class worker::impl final : private commit_listener {
public:
    impl(engine& orders, processor& work, worker_options options);
    ~impl();

    result<void> start();
    cycle_report cycle() noexcept;
    clock::instant due() const noexcept { return mailbox_->notifier.due(report_.next_due); }
    void stop(std::chrono::milliseconds drain);
    void hint(std::shared_ptr<detail::work_hint> what) { mailbox_->hinted(std::move(what)); }

private:
    void committed() noexcept override { mailbox_->committed(); }
    void run() noexcept;
    void release_all() noexcept;
    worker_record describe_itself() const;

    // The worker's thread only, for all that follows.
    void step();
    void take_in(detail::worker_mail mail) noexcept;
    void on_verdict(detail::job_entry& it, job::state& from);
    void on_closed(detail::job_entry& it);
    void on_renewed(detail::job_entry& it);
    void attend(clock::instant now);
    void begin(detail::job_entry& it);
    void time_out(detail::job_entry& it);
    void close(detail::job_entry& it, detail::verdict_change decided);
    void send(detail::job_entry& it);
    void renew(detail::job_entry& it, clock::instant now);
    void submit(detail::job_entry& it, detail::job_commit& as, change what);
    void succeed(detail::job_entry& it);
    void lose(detail::job_entry& it);
    void drop(detail::job_entry& it) noexcept;
    void shut_down(clock::instant now);
    void abandon();

    void count_wakes(std::uint64_t wakes) noexcept;
    void take_in(std::shared_ptr<detail::work_hint> what) noexcept;
    void settle(detail::work_hint& what, std::size_t count) noexcept;
    void on_claimed(detail::stage_claim& it) noexcept;
    void on_swept(detail::stage_claim& it, const claim_outcome& answer, clock::instant now);
    void on_named(detail::stage_claim& it, const claim_outcome& answer, clock::instant now);
    void look_again(const work_stage& stage, std::optional<timestamp> at);
    void add(claimed_order&& claimed, const detail::stage_claim& by);
    void claim_failed(detail::stage_claim& it, const failure& why, clock::instant now) noexcept;
    bool may_claim() const noexcept;
    static bool names(const detail::stage_claim& it, clock::instant now) noexcept;
    static void name_offered(const detail::stage_claim& it, std::size_t most, claim& what);
    std::size_t capacity() const noexcept;
    std::size_t free_places() const noexcept;
    void tell_of_itself() noexcept;
    void claim_work(clock::instant now);
    void look_beyond(detail::stage_claim& it, std::size_t limit, clock::instant now,
                     claim& what) const;
    void submit_claim(const std::shared_ptr<detail::stage_claim>& it, std::size_t limit,
                      clock::instant now);

    std::size_t in_flight() const noexcept;
    clock::instant next_due(clock::instant now) const;
    detail::attempt_facts facts(const detail::job_entry& it) const;
    void error(std::string_view where, const char* what) noexcept;

    // An error of one order (bad_alloc, say) concerns no other: it is left to the end of its lease.
    template <class Handle>
    void guarded(detail::job_entry& it, Handle handle) noexcept {
        try {
            return handle();
        } catch (const std::exception& thrown) {
            error("worker", thrown.what());
        } catch (...) {
            error("worker", "an unknown exception");
        }
        drop(it);
    }

    engine& engine_;
    processor& work_;
    worker_options options_;
    runtime with_;
    const std::shared_ptr<detail::worker_mailbox> mailbox_;

    std::vector<std::shared_ptr<detail::stage_claim>> claims_;  // one for each stage
    std::size_t turn_ = 0;                                      // the stage that is asked for first
    std::size_t claims_under_way_ = 0;
    std::size_t reserved_ = 0;  // places that they may fill
    std::uint64_t claims_answered_ = 0;
    detail::job_table jobs_;
    bool engine_stopped_ = false;
    std::optional<clock::instant> stop_at_;  // no claims; from then on no running jobs either
    cycle_report report_;                    // of the cycle that runs
    detail::worker_presence presence_;

    detail::stage_life life_;
    bool listening_ = false;
};

}  // namespace v1
}  // namespace orderproc

#endif
