#ifndef ORDERPROC_STAGES_WORKER_VERDICT_CHANGE_HPP
#define ORDERPROC_STAGES_WORKER_VERDICT_CHANGE_HPP

#include <orderproc/change.hpp>
#include <orderproc/worker.hpp>

#include <cstdint>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// A leased order, and who works on it.
struct attempt_facts {
    std::string_view order;  // its id
    std::uint32_t attempts;  // with this one
    const work_stage& stage;
    lease_token lease;
    std::string_view worker_id;
};

enum class verdict_effect : std::uint8_t { advanced, retried, failed, released, handed_over };

struct verdict_change {
    change what;
    verdict_effect effect = verdict_effect::released;
    attempt_outcome outcome = attempt_outcome::released;
};

// What a verdict does to the order. An event that the machine refuses, and the last attempt's
// retry_later, fail it.
verdict_change make_verdict_change(const attempt_facts& of, const verdict& said,
                                   const status_machine& machine, const retry_policy& policy,
                                   runtime& with);
// The attempt ran out of time.
verdict_change make_timeout_change(const attempt_facts& of, std::chrono::milliseconds limit,
                                   const status_machine& machine, const retry_policy& policy,
                                   runtime& with);
// The worker goes away: the attempt does not count.
verdict_change make_release_change(const attempt_facts& of);
change make_renewal(const attempt_facts& of, timestamp expires_at);

// Is the order where the change would have taken it, from how it was claimed? Tells a commit of
// unknown outcome that did happen from a lease that somebody else took.
bool happened(const verdict_change& it, const order& claimed, const order& now);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
