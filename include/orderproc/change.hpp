#ifndef ORDERPROC_CHANGE_HPP
#define ORDERPROC_CHANGE_HPP

// What the status machine makes of a command, and the one place of the rules: a repository
// reads an order, asks evaluate(), and stores what it says.

#include <orderproc/status_machine.hpp>

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace orderproc {
inline namespace v1 {

enum class lease_token : std::uint64_t {};  // the fence: grows with every claim of an order

// An order as a repository keeps it: what clients see, and who works on it.
struct stored_order {
    order value;
    lease_token lease{0};             // of the latest claim
    bool leased = false;              // somebody works on it, until due_at unless renewed
    std::optional<timestamp> due_at;  // when a worker should look: index it with the status
    // How far ahead due_at was by rule: the length of the lease, the back-off. 0: it was asked for.
    std::chrono::milliseconds span{0};
    std::string worker_id;             // who works on it; empty unless leased
    std::uint32_t expired_leases = 0;  // leases in a row that nobody ended
    std::string traceparent;           // W3C Trace Context of the latest change by a client

    friend bool operator==(const stored_order&, const stored_order&) = default;
};

using digest = std::array<std::byte, 16>;

// An Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): digests of principal,
// method, path and key, and of the body.
struct idempotency {
    digest key{};
    digest body{};
};

struct create_order {
    order value;          // id and status set; number, version and times are the storage's
    bool queued = false;  // a worker should look at it
};
// Refused once an attempt has begun (order::first_claimed_at), also one that was released or
// retried since: what it did may be known to others under the content of before.
struct edit_order {
    std::int64_t user_id = 0;
    std::vector<std::int64_t> item_ids;
    money total_amount;
    std::string metadata;
};
struct transition_order {
    order_status to;
    std::string reason;                        // for the journal
    bool queued = false;                       // a worker should look at it in the new status…
    std::optional<timestamp> next_attempt_at;  // …but not before this
    std::chrono::milliseconds backoff{0};      // which is so far ahead by rule; 0: it was asked for
    std::optional<std::uint32_t> attempts;     // set, else kept
    std::optional<std::string> last_error;     // set, else kept
    bool settles = false;                      // nothing more happens by itself
    bool completes = false;                    // ends all work: counts if it was worked on
    bool repeatable = false;                   // already there is a success, not a refusal
    bool interrupted = false;                  // given back undecided: its expired_leases stay
};
struct remove_order {};
struct renew_lease {
    timestamp expires_at;  // no new version, no journal entry
};

// A compare-and-set on one order plus one journal entry. Made by lower() or a worker.
struct change {
    std::string order;  // the order's id: a reader may ask for anything
    std::string event;  // "create", "edit", "delete", "renew" or the machine's
    std::variant<create_order, edit_order, transition_order, remove_order, renew_lease> action;
    std::span<const order_status> from;    // empty: any. Points into the machine
    std::optional<order_version> version;  // If-Match
    std::optional<lease_token> lease;      // the fence
    std::optional<std::int64_t> user_id;   // a principal bound to a user: else not_found
    bool unleased = false;                 // refuse while somebody works on it
    std::optional<idempotency> idempotency_key;
    std::string actor;
    std::string traceparent;  // with a lease the order's own is kept
};

struct change_outcome {
    error_code ec;
    bool replayed = false;
    bool journaled = false;  // it made an entry
    // After the change; on delete before it; on refusal what refused it, if the principal may see
    // it.
    std::optional<order> after = {};
    // For people: why it was refused before it was queued. A storage's refusal has no text.
    std::string detail = {};
};

// The two times of a write, since clocks step: leases and back-offs must not suffer for it.
struct write_time {
    timestamp now;    // judges what is due, and is what leases and delays are counted from
    timestamp stamp;  // is recorded: never before that of an earlier write

    write_time(timestamp both) : now(both), stamp(both) {}
    write_time(timestamp at, timestamp latest_stamp)
        : now(at), stamp(at < latest_stamp ? latest_stamp : at) {}
};

// What evaluate() and claim_selection decided. The position is the storage's to give.
struct evaluation {
    stored_order after;
    bool journaled = false;  // append an entry: the following, after.traceparent, after.value
    bool removed = false;    // take the order out; its id stays taken
    bool completed = false;  // count it and the time since its first claim
    std::string_view event;  // points into the change or the stage
    std::optional<order_status> from;
    std::string_view actor;
    std::string reason;
};

// Judges one change against what is stored (nullptr: no such order): user_id, then lease,
// version, status. An expired lease that nobody took over may still be used: the fence is
// the token, not the clock. A refusal carries no text. The result's views live as long as what.
ORDERPROC_EXPORT result<evaluation> evaluate(const stored_order* current, const change& what,
                                             write_time at);

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

// A look at what a clock that was ahead has put off: at most limit orders of each status. For the
// sweep, not for each claim.
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
    // It was being worked on when workers went down, twice in a row or more: start it beside
    // nobody but the others of its claim, whom it may take down as well.
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
// Who takes workers down is found by elimination: after the first lapse of its lease an order is
// handed out as before, after the second with at most 31 of its kind, then alone. Only the first
// lapse and those alone cost an attempt, so a poison order costs its neighbours one at most.
class ORDERPROC_EXPORT claim_selection {
public:
    claim_selection(const claim& what, write_time at) : claim_(what), at_(at) {}

    std::vector<due_range> ranges() const;  // to be surveyed beside the candidates; mostly none
    bool survey(const stored_order& found, claim_outcome& out);  // each; true: it is a candidate

    // What it is offered by, before its number; none: it is not due.
    std::optional<timestamp> rank(const stored_order& candidate) const;
    // Brings candidates into the order of offering, and leaves out those that are none.
    void arrange(std::vector<stored_order>& candidates) const;
    bool done() const noexcept;  // offer nothing more
    // None: leave it as it is (not due, or the selection is done).
    std::optional<evaluation> offer(const stored_order& candidate);
    // Once more with what was stored of an evaluation that offer() returned.
    void take(const evaluation& stored, claim_outcome& out);
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
