#ifndef ORDERPROC_STAGES_ENGINE_CLOCK_CHECK_HPP
#define ORDERPROC_STAGES_ENGINE_CLOCK_CHECK_HPP

#include <orderproc/runtime.hpp>

#include <optional>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Notices when the wall clock is wrong by more than a day. Nothing is refused for it: leases and
// back-offs do not depend on it, but what is recorded gets the wrong time.
class clock_check {
public:
    // What people should know of, when it begins. recorded: what a write at now was recorded as,
    // if it recorded anything; that is never before what was recorded earlier.
    std::optional<failure> judge(timestamp now, clock::instant monotonic,
                                 std::optional<timestamp> recorded);

private:
    struct pair_of_times {
        timestamp wall;
        clock::instant monotonic;
    };
    std::optional<pair_of_times> last_;
    bool behind_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
