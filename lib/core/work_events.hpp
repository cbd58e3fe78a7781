#ifndef ORDERPROC_CORE_WORK_EVENTS_HPP
#define ORDERPROC_CORE_WORK_EVENTS_HPP

// What an event means for the work on an order.

#include <orderproc/status_machine.hpp>

#include <algorithm>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

inline bool fails_work(const transition& event, const status_machine& machine) noexcept {
    const auto stages = machine.stages();
    return std::any_of(stages.begin(), stages.end(),
                       [&](const work_stage& it) { return it.fail == event.event; });
}

// Out of an active status it is the end of all work.
inline bool completes_work(const transition& event, const status_machine& machine) noexcept {
    return machine.is_final(event.to) && !fails_work(event, machine);
}

// The stage that has something to do once the event happened, or nullptr. A retry that a worker
// put off has not: it waits for its time.
inline const work_stage* stage_woken_by(std::string_view event, const status_machine& machine) {
    if (event == "create") return machine.stage_waiting_in(machine.initial());
    const transition* found = machine.find(event);
    const work_stage* stage = found ? machine.stage_waiting_in(found->to) : nullptr;
    return stage && stage->release != event ? stage : nullptr;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
