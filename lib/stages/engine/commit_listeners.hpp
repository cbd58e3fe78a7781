#ifndef ORDERPROC_STAGES_ENGINE_COMMIT_LISTENERS_HPP
#define ORDERPROC_STAGES_ENGINE_COMMIT_LISTENERS_HPP

// Who is told of commits.

#include <orderproc/engine.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Safe to use from any thread. Calls are made with no lock held.
class commit_listeners {
public:
    void add(commit_listener& who);
    // Afterwards it is not called again. Waits for a call under way, but not for one that this
    // thread is inside of.
    void remove(commit_listener& who) noexcept;
    void announce() noexcept;

private:
    struct call {
        commit_listener* who;
        std::thread::id by;
        call* next;
    };
    void begin(call& it) noexcept;
    void end(call& it) noexcept;

    std::mutex mutex_;
    std::condition_variable ended_;
    // One that is removed leaves a gap while an announcement is under way, which goes by index.
    std::vector<commit_listener*> all_;
    std::size_t announcing_ = 0;
    call* calls_ = nullptr;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
