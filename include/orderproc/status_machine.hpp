#ifndef ORDERPROC_STATUS_MACHINE_HPP
#define ORDERPROC_STATUS_MACHINE_HPP

// Which events may move an order, from where, to where. A table, not a class to
// derive from: it can be printed, tested exhaustively and pushed into SQL.

#include <orderproc/order.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// An event has one target, whatever the status it is raised in, so that a transition is a
// single compare-and-set. Events are [a-z][a-z0-9_]{0,31}, except "create", "edit" and "delete".
struct transition_rule {
    order_status from;
    std::string_view event;
    order_status to;
    bool open_to_clients = false;
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
};

// Immutable; safe to use from any thread. Views and references stay valid as long as it
// (or what it was moved into) lives.
class ORDERPROC_EXPORT status_machine {
public:
    // PENDING –start→ PROCESSING –complete→ COMPLETED; PROCESSING –release→ PENDING;
    // PENDING, PROCESSING –fail→ FAILED; PENDING –cancel→ CANCELLED and FAILED –retry→ PENDING
    // are open to clients.
    static const status_machine& standard();

    // Copies the rules. errc::invalid_argument, naming the row, if a name is malformed, an
    // event has two targets or differs in open_to_clients, a status cannot be reached from
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

    const transition* find(std::string_view event) const noexcept;   // or nullptr
    std::vector<std::string_view> allowed(order_status from) const;  // for answers to people

    // A Mermaid stateDiagram-v2 (mermaid.js.org/syntax/stateDiagram.html).
    std::string to_mermaid() const;

private:
    struct ORDERPROC_HIDDEN impl;
    explicit status_machine(std::unique_ptr<const impl> table) noexcept;
    std::unique_ptr<const impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
