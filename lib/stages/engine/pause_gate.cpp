#include "stages/engine/pause_gate.hpp"

#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

result<void> pause_gate::look(repository_reader& from) {
    const clock::instant now = time_.monotonic();
    if (looked_at_ && now - *looked_at_ < pause_look_interval) return {};
    looked_at_.reset();
    auto found = list_pauses(from);
    if (!found && found.error().code != errc::not_supported) return std::move(found).error();
    pauses_ = found ? std::move(*found) : std::vector<work_pause>();
    looked_at_ = now;
    return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
