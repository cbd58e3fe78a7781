#ifndef ORDERPROC_CHANGE_HPP
#define ORDERPROC_CHANGE_HPP

// What the status machine makes of a command, and the one place of the rules: a repository
// reads an order, asks evaluate(), and stores what it says.

#include <orderproc/idempotency.hpp>
#include <orderproc/order_model.hpp>
#include <orderproc/status_machine.hpp>

#include <chrono>
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
    std::string worker_id;             // who works on it; empty unless leased, or if handed over
    std::uint32_t expired_leases = 0;  // number of consecutive leases that expired
    std::string traceparent;           // W3C Trace Context of the latest change by a client
    // What the order is found by: see order_model::index_of(). Ascending; empty for most.
    std::vector<index_entry> index;

    friend bool operator==(const stored_order&, const stored_order&) = default;
};

struct create_order {
    order value;          // id and status set; number, version and times are the storage's
    bool queued = false;  // a worker should look at it
};
// Refused once an attempt has begun (order::first_claimed_at), also one that was released or
// retried since: what it did may be known to others under the content of before.
struct edit_order {
    order_content content;  // a tenant and annotations that are empty stay as they are
};
// In any status, whoever works on the order: it disturbs no work. What it does not name stays.
struct annotate_order {
    std::optional<std::string> annotations = {};   // instead of those that are there; empty: none
    std::vector<order_attribute> attributes = {};  // ascending by name, each name once
    std::vector<std::string> removed = {};         // names of attributes
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
    bool interrupted = false;                  // given back undecided: expired_leases stays
};
struct remove_order {};
// Takes what is personal out of an order that is settled, and out of all of its journal: see
// order_model::redact(). Also of an order that was deleted. Needs capability::redaction.
struct redact_order {};
// Gives the order the index entries that the model says it has. Makes no version and no entry in
// the journal.
struct index_order {};
// Changes nothing. If change::idempotency_key was used before, this is a replay like any other. If
// it was not, the outcome is errc::version_conflict with the order as it is now, or
// errc::not_found. For a caller that would refuse a request for a reason of its own, but must
// answer what it did before.
struct look_up_key {};
struct renew_lease {
    timestamp expires_at;  // no new version, no journal entry
    // Set: the worker hands the order over to somebody who will answer by the token, and has so
    // long. The lease is nobody's then (worker_id is empty), it is of this length, and that nobody
    // renews it is no sign of a crash: the number of expired leases begins again.
    std::optional<std::chrono::milliseconds> handed_over = {};
};

// A compare-and-set on one order plus one journal entry. Made by lower() or a worker; see
// validate().
struct change {
    std::string order;  // the order's id: a reader may ask for anything
    // "create", "edit", "annotate", "delete", "redact", "index", "renew" or the machine's
    std::string event;
    std::variant<create_order, edit_order, transition_order, remove_order, renew_lease, look_up_key,
                 annotate_order, redact_order, index_order>
        action;
    std::span<const order_status> from;    // empty: any. Points into the machine
    const order_model* model = nullptr;    // none: the standard one
    std::optional<order_version> version;  // If-Match
    std::optional<lease_token> lease;      // the fence
    order_scope scope;                     // an order outside of it: not_found
    bool unleased = false;                 // refuse while somebody works on it
    std::optional<idempotency> idempotency_key;
    std::string actor;
    std::string traceparent;  // with a lease the order's own is kept
};

// What must hold of every change, so that what is stored can be read again: an order and an event
// are named; an order that is made or edited is valid, has a status, and its id is the change's;
// texts are as command bounds them. errc::invalid_argument, with the reason. lower() and workers
// make changes that hold; engine::submit() and sqlite_guest::apply() check those that a host has
// made.
ORDERPROC_EXPORT result<void> validate(const change& what);

struct [[nodiscard]] change_outcome {
    error_code ec;
    bool replayed = false;
    bool journaled = false;  // it made an entry
    // After the change; on delete before it; on refusal what refused it, if the principal may see
    // it.
    std::optional<order> after = {};
    // Why it was refused, in a sentence for people. An adapter leaves it empty: the engine writes
    // it.
    std::string detail = {};
    // errc::attribute_taken: the slot of the attribute whose value `after` has. 0: none.
    std::uint8_t taken = 0;
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
    bool redacted = false;   // take what is personal out of the entries that it has, too
    bool completed = false;  // count it and the time since its first claim
    std::string_view event;  // points into the change or the stage
    std::optional<order_status> from;
    std::string_view actor;
    std::string reason;
};

// Judges one change against what is stored (nullptr: no such order): scope, then lease,
// version, status. An expired lease that nobody took over may still be used: the fence is
// the token, not the clock. A refusal carries no text. The result's views live as long as what.
ORDERPROC_EXPORT result<evaluation> evaluate(const stored_order* current, const change& what,
                                             write_time at);
// The same for an order that is there and need not be copied: it moves into the result. A refusal
// leaves it as it was.
ORDERPROC_EXPORT result<evaluation> evaluate(stored_order&& current, const change& what,
                                             write_time at);

// Judges redact_order for an order that was deleted, as it was in the last entry of its journal:
// what evaluate() says of an order that is there. The result says removed.
ORDERPROC_EXPORT result<evaluation> evaluate_deleted(order&& last, const change& what,
                                                     write_time at);

}  // namespace v1
}  // namespace orderproc

#endif
