#include "stages/common/stage_life.hpp"

#include <system_error>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

result<bool> stage_life::start(const std::function<result<void>()>& prepare, bool threaded,
                               std::function<void()> run) {
    const std::lock_guard lock(mutex_);
    if (state_ == state::stopped) return failure{errc::stopped, "it was stopped"};
    if (state_ == state::started) return false;
    if (auto ok = prepare(); !ok) return std::move(ok).error();
    if (threaded) {
        try {
            thread_ = std::thread([this, run = std::move(run)] {
                thread_id_ = std::this_thread::get_id();
                run();
                thread_id_ = std::thread::id();
            });
        } catch (const std::system_error& thrown) {
            return failure{errc::unavailable, thrown.what()};
        }
    }
    auto made = state::made;  // stop() may have come meanwhile
    state_.compare_exchange_strong(made, state::started);
    return true;
}

void stage_life::join() {
    state_ = state::stopped;
    if (thread_id_ == std::this_thread::get_id()) return;
    const std::lock_guard lock(mutex_);
    if (thread_.joinable()) thread_.join();
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
