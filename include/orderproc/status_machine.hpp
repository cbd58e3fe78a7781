#ifndef ORDERPROC_STATUS_MACHINE_HPP
#define ORDERPROC_STATUS_MACHINE_HPP

// Which events may move an order, from where, to where. A table, not a class to
// derive from: it can be printed, tested exhaustively and pushed into SQL.

#include <orderproc/order.hpp>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// The events that every order has, whatever its machine: the engine's own. No event of a machine
// has one of these names.
inline constexpr std::array<std::string_view, 5> engine_events{"create", "edit", "delete",
                                                               "annotate", "redact"};
constexpr bool is_engine_event(std::string_view event) noexcept {
    for (const std::string_view it : engine_events) {
        if (it == event) return true;
    }
    return false;
}

// The scope of an event that names none.
inline constexpr std::string_view default_event_scope = "orders:write";

// An event has one target, whatever the status it is raised in, so that a transition is a
// single compare-and-set. Events are [a-z][a-z0-9_]{0,31}, except those of engine_events.
struct transition_rule {
    order_status from;
    std::string_view event;
    order_status to;
    bool open_to_clients = false;
    // What a client must hold to raise the event, which has to be open to clients: a word of the
    // host's, [a-z][a-z0-9_:.-]{0,31}. Empty: default_event_scope. The library only carries it: the
    // host, which knows its clients, checks it before it submits raise_event.
    std::string_view scope = {};
};

// Where workers come in: claiming raises start, retrying later raises release, giving up
// raises fail; advancing raises an event of the processor's choice. A stage brings its rules:
// waiting –start→ active, active –release→ waiting, waiting and active –fail→ failed.
struct work_stage {
    order_status waiting;      // PENDING
    std::string_view start;    // "start"
    order_status active;       // PROCESSING; entered by start alone, always with a lease
    std::string_view release;  // "release"
    std::string_view fail;     // "fail"
    order_status failed;       // FAILED
};

struct transition {
    std::string_view event;
    order_status to;
    std::vector<order_status> from;
    bool open_to_clients = false;
    std::string_view scope = {};  // which a client must hold; empty unless open_to_clients
};

// Immutable; safe to use from any thread. Views and references stay valid as long as it
// (or what it was moved into) lives.
class ORDERPROC_EXPORT status_machine {
public:
    // PENDING –start→ PROCESSING –complete→ COMPLETED; PROCESSING –release→ PENDING;
    // PENDING, PROCESSING –fail→ FAILED; PENDING –cancel→ CANCELLED and FAILED –retry→ PENDING
    // are open to clients; retry has the scope "operate".
    static const status_machine& standard();

    // Copies the rules. errc::invalid_argument, naming the row, if a name is malformed, an
    // event has two targets or differs in open_to_clients or scope, or has a scope without being
    // open to clients, a status cannot be reached from
    // initial, an active status is entered other than by its stage's start or has no way out
    // but release and fail, two stages share a status or an event that has to tell them apart,
    // or a stage's failed status is not settled (a claim that fails an order queues it nowhere).
    static result<status_machine> build(order_status initial,
                                        std::span<const transition_rule> rules,
                                        std::span<const work_stage> stages);

    status_machine(status_machine&&) noexcept;
    status_machine& operator=(status_machine&&) noexcept;
    ~status_machine();

    order_status initial() const noexcept;
    std::span<const order_status> statuses() const noexcept;  // in order of first appearance
    std::span<const transition> transitions() const noexcept;
    std::span<const work_stage> stages() const noexcept;

    bool contains(order_status status) const noexcept;
    bool is_final(order_status status) const noexcept;    // no way out
    bool is_settled(order_status status) const noexcept;  // nothing more happens by itself
    const work_stage* stage_waiting_in(order_status status) const noexcept;  // or nullptr
    const work_stage* stage_active_in(order_status status) const noexcept;   // or nullptr

    // The events that end the work of a stage well: out of its active status, but not release and
    // fail.
    std::vector<std::string_view> ways_out(const work_stage& of) const;
    // The one that is meant where none is named: "complete" if it is one of them, else the only
    // one; empty: there are several.
    std::string_view default_way_out(const work_stage& of) const;

    const transition* find(std::string_view event) const noexcept;   // or nullptr
    std::vector<std::string_view> allowed(order_status from) const;  // for answers to people

    // A Mermaid stateDiagram-v2 (mermaid.js.org/syntax/stateDiagram.html).
    std::string to_mermaid() const;

private:
    struct ORDERPROC_HIDDEN impl;
    explicit status_machine(std::unique_ptr<const impl> table) noexcept;
    std::unique_ptr<const impl> impl_;
};

// Whether orders that were moved by one machine can be moved by another: they have the same initial
// status, transitions and stages, in whatever order; the scopes of events may differ.
// errc::invalid_argument, with a detail that names each difference.
ORDERPROC_EXPORT result<void> check_successor(const status_machine& was, const status_machine& is);

}  // namespace v1
}  // namespace orderproc

#endif
