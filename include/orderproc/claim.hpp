#ifndef ORDERPROC_CLAIM_HPP
#define ORDERPROC_CLAIM_HPP

// Claiming: how workers get orders to work on, and the one place of its rules. A repository reads
// candidates, asks a claim_selection, and stores what it says.

#include <orderproc/change.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {

// A lease that ends later than its length from now: a clock that was ahead gave it. It has ended
// when it was seen unchanged for its length by a monotonic clock (docs/adr/0008).
struct doubtful_lease {
    std::string order;
    lease_token token{0};
    timestamp ends_at;
    std::chrono::milliseconds length{0};
    friend bool operator==(const doubtful_lease&, const doubtful_lease&) = default;
};

// Where an order stands in the index of its status by due_at.
struct due_position {
    timestamp due_at = timestamp::min();
    std::int64_t number = 0;
    friend auto operator<=>(const due_position&, const due_position&) = default;
};

// A look at what a clock that was ahead has put off: at most limit orders of each status. For a
// worker's poll, not for each claim.
struct due_probe {
    std::size_t limit = 0;  // 0: none
    due_position waiting, active;
};

// A worker's request for work of one stage.
struct claim {
    const work_stage* stage = nullptr;  // outlives the claim
    std::string worker_id;
    timestamp expires_at;                            // of the leases
    std::chrono::milliseconds lease{0};              // their length; 0: none of them is doubted
    std::uint32_t attempts_max = 20;                 // an order beyond it is failed, not handed out
    std::chrono::milliseconds expiry_backoff{1000};  // after an expired lease; doubles with each
    std::chrono::milliseconds backoff_max{31'622'400'000};  // one that ends even later is over
    std::vector<std::string> only;                          // ids; empty: whatever is due
    std::vector<doubtful_lease> expired;  // to be taken back if they are unchanged; limit at most
    due_probe probe;                      // without only
    std::size_t limit = 0;                // orders handed out, failed or released, together
};

struct claimed_order {
    order value;
    lease_token lease{0};
    std::string traceparent;
    // It was being worked on when workers went down, twice in a row or more. Run it in isolation:
    // only orders of the same claim may run at the same time.
    bool isolated = false;
};

// Not handed out: its worker went silent, or it had no attempt left.
struct reclaimed_order {
    std::string id;
    std::string reason;
    bool failed = false;  // beyond attempts_max; else back to waiting, with back-off
};

struct claim_outcome {
    std::vector<claimed_order> orders;
    std::vector<reclaimed_order> reclaimed;
    std::size_t failed = 0;    // beyond attempts_max
    std::size_t released = 0;  // their lease had expired: back to waiting, with back-off
    bool more = false;         // the claim stopped before it ran out of due orders (of claim::only)
    std::optional<timestamp> next_due;     // of the stage, when !more: nothing to claim before it
    std::vector<doubtful_lease> doubtful;  // that the probe came by
    due_probe next_probe;                  // goes on where this one ended, or begins again
    // Its work is paused: nobody looked, so nothing else is said but next_due, when to ask again.
    bool held = false;
};

struct due_range {  // orders of the status after the position, in the order of the index
    order_status status;
    due_position after;
    std::size_t limit = 0;
};

// The rules of claiming, for one claim. An adapter reads candidates: status waiting or active of
// the stage, due_at <= stamp; of each status the first claim::limit by due_at, then number, or all
// that claim::only names; all that claim::expired names; and those of ranges() that survey() wants.
// It arranges and offers them, stores what offer() says, collects it in take(), and finishes.
//
// A poison order, one that takes its worker down, is isolated step by step. After one expired lease
// an order is handed out as before; after two it shares a claim with at most 31 others like it;
// after three it runs alone. Only the first expiry and those alone cost an attempt, so a poison
// order costs its neighbours at most one.
class ORDERPROC_EXPORT claim_selection {
public:
    claim_selection(const claim& what, write_time at) : claim_(what), at_(at) {}

    std::vector<due_range> ranges() const;  // to be surveyed beside the candidates; mostly none
    bool survey(const stored_order& found, claim_outcome& out);  // each; true: it is a candidate

    // The time by which it is ordered, before its number; none if it is not due.
    std::optional<timestamp> rank(const stored_order& candidate) const;
    // Sorts candidates into the order in which they are offered, and drops those that are not due.
    void arrange(std::vector<stored_order>& candidates) const;
    bool done() const noexcept;  // offer nothing more
    // None: leave it as it is (not due, or the selection is done).
    std::optional<evaluation> offer(stored_order candidate);
    // Call once for each evaluation returned by offer() after it has been stored.
    void take(evaluation stored, claim_outcome& out);
    // Sets more and next_due. first_due: the stage's, as all is stored; offers: of candidates.
    void finish(std::optional<timestamp> first_due, std::size_t offers, claim_outcome& out) const;

private:
    bool may_join(std::size_t company) noexcept;
    bool is_over(const stored_order& leased) const;

    const claim& claim_;
    write_time at_;
    std::size_t surveyed_waiting_ = 0;
    std::size_t surveyed_active_ = 0;
    std::size_t touched_ = 0;
    std::size_t handed_out_ = 0;
    std::size_t company_ = 0;  // how many of those handed out may be worked on together
    bool stopped_ = false;
};

}  // namespace v1
}  // namespace orderproc

#endif
