#ifndef ORDERPROC_TESTS_UNIT_CLAIM_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_CLAIM_FIXTURE_HPP

// A stage, a claim of it, and orders that it may take.

#include <orderproc/claim.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace claim_fixture {

using namespace orderproc;
using namespace std::chrono_literals;

inline constexpr timestamp now = timestamp{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}};
inline constexpr work_stage stage{"PENDING", "start", "PROCESSING", "release", "fail", "FAILED"};

inline claim by_worker(std::size_t limit) {
    claim out;
    out.stage = &stage;
    out.worker_id = "w2";
    out.expires_at = now + 30s;
    out.attempts_max = 5;
    out.limit = limit;
    return out;
}

inline stored_order waiting(std::uint32_t expired_leases = 0) {
    stored_order it;
    it.value.id = order_id::parse("A-1").value();
    it.value.status = stage.waiting;
    it.value.version = order_version{4};
    it.value.attempts = 2;
    it.value.next_attempt_at = now - 1s;
    it.value.last_error = "busy";
    it.lease = lease_token{2};
    it.due_at = now - 1s;
    it.expired_leases = expired_leases;
    it.traceparent = "00-trace";
    return it;
}

inline stored_order expired(std::uint32_t expired_leases = 0) {
    stored_order it = waiting(expired_leases);
    it.value.status = stage.active;
    it.value.next_attempt_at.reset();
    it.value.first_claimed_at = now - 1h;
    it.leased = true;
    it.worker_id = "w1";
    return it;
}

// Offers all of them as an adapter does that stores one at a time.
inline claim_outcome run(const claim& what, const std::vector<stored_order>& candidates) {
    claim_selection selection(what, now);
    claim_outcome out;
    for (const stored_order& it : candidates) {
        if (const auto verdict = selection.offer(it)) selection.take(*verdict, out);
    }
    return out;
}

}  // namespace claim_fixture

#endif
