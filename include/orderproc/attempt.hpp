#ifndef ORDERPROC_ATTEMPT_HPP
#define ORDERPROC_ATTEMPT_HPP

// Work that outlives its worker: the answer to an attempt whose processor said answer_later.

#include <orderproc/change.hpp>
#include <orderproc/processor.hpp>
#include <orderproc/runtime.hpp>
#include <orderproc/status_machine.hpp>
#include <orderproc/worker.hpp>

namespace orderproc {
inline namespace v1 {

// The change that an answer means, to be submitted to an engine of any process on the storage; the
// host adds actor, scope and idempotency key. It needs no read. retry_later that was the last
// attempt of the policy fails the order, as it does in a worker.
//
// The engine refuses it with errc::lease_lost if the attempt is over: it was answered before, its
// time had passed and a worker took the order back, or the order was moved by somebody else. So two
// answers never both count, and none counts for another attempt. It may come before the worker has
// committed answer_later; the worker then loses its lease, which changes nothing. Answers after the
// time-out count as long as no worker has taken the order back.
//
// errc::invalid_argument: the machine has no such stage; advance names an event that does not end
// its work, or none where status_machine::default_way_out() has none.
ORDERPROC_EXPORT result<change> answer_attempt(const attempt_reference& of, attempt_answer said,
                                               const status_machine& machine,
                                               const retry_policy& policy, runtime& with);

}  // namespace v1
}  // namespace orderproc

#endif
