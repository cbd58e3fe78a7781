#ifndef ORDERPROC_STAGES_WORKER_JOB_TABLE_HPP
#define ORDERPROC_STAGES_WORKER_JOB_TABLE_HPP

#include "stages/worker/verdict_change.hpp"
#include "stages/worker/worker_mailbox.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

enum class job_phase : std::uint8_t {
    held,     // claimed, not started: it is to run apart from others
    running,  // the processor has it
    closing,  // decided; the change is on its way, or will be sent again
};

// An order that the worker holds the lease of. Only the worker's thread touches it, but for
// what the commits bring.
struct job_entry {
    job_entry(const std::shared_ptr<worker_mailbox>& to, const work_stage& on)
        : stage(on), closing(to), renewal(to) {}

    const work_stage& stage;
    std::uint64_t serial = 0;
    lease_token lease{0};
    std::uint64_t isolated = 0;  // the group that it is to run in; 0: beside any others
    std::shared_ptr<job::state> work;
    job_phase phase = job_phase::held;

    clock::instant renew_at;
    clock::instant started_at;
    clock::instant timeout_at;
    clock::instant submit_at;          // closing: when to send the change again
    std::uint32_t failures = 0;        // of the closing change, in a row
    std::uint32_t renew_failures = 0;  // in a row
    bool unsure = false;               // the outcome of one of them is unknown
    std::chrono::milliseconds duration{0};
    std::string thrown;  // what the processor threw instead of taking the job
    verdict_change decided;

    job_commit closing;
    job_commit renewal;

    std::optional<clock::instant> deadline;  // the table's: by when to look at it
};

// All orders that a worker holds, by name and by when they want attention next.
class job_table {
public:
    std::size_t size() const noexcept { return jobs_.size(); }

    // Gives it its serial. It is held; the caller sets renew_at.
    void add(const std::shared_ptr<job_entry>& entry);
    std::shared_ptr<job_entry> find(std::uint64_t serial) const;
    void remove(job_entry& entry) noexcept;
    void enter(job_entry& entry, job_phase phase);  // schedules it, too
    void schedule(job_entry& entry);                // whenever its times have changed

    // The first that wants attention by now, or none.
    std::shared_ptr<job_entry> due(clock::instant now) const;
    std::optional<clock::instant> next_due() const;
    std::vector<std::shared_ptr<job_entry>> in_phase(job_phase phase) const;

    // Orders that are to run apart, started or not.
    std::size_t isolated() const noexcept { return isolated_; }
    // Their first group, once nothing else is running; or none.
    std::vector<std::shared_ptr<job_entry>> next_apart() const;

private:
    std::uint64_t last_serial_ = 0;
    std::map<std::uint64_t, std::shared_ptr<job_entry>> jobs_;
    std::set<std::uint64_t> held_;
    std::set<std::pair<clock::instant, std::uint64_t>> deadlines_;
    std::size_t isolated_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
