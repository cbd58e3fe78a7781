#ifndef ORDERPROC_STAGES_ENGINE_PAUSE_GATE_HPP
#define ORDERPROC_STAGES_ENGINE_PAUSE_GATE_HPP

// Which claims wait because work is paused.

#include <orderproc/pause.hpp>
#include <orderproc/runtime.hpp>

#include <optional>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Used by one thread at a time.
class pause_gate {
public:
    explicit pause_gate(clock& time) : time_(time) {}  // which outlives it

    // Reads the pauses, unless that was done less than pause_look_interval ago. A storage without
    // records has none. After a failure nothing is known: ask again before the next claim.
    result<void> look(repository_reader& from);
    // The next look reads them, however short a time ago the last one was.
    void expire() noexcept { looked_at_.reset(); }
    bool holds(const work_stage& stage) const noexcept { return is_paused(pauses_, stage); }

private:
    clock& time_;
    std::optional<clock::instant> looked_at_;
    std::vector<work_pause> pauses_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
