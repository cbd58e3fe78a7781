#ifndef ORDERPROC_SERVER_HTTP_LOOP_TURNS_HPP
#define ORDERPROC_SERVER_HTTP_LOOP_TURNS_HPP

// Whose turn it is in an event loop that two threads share. Internal to the transport.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace orderproc::server::http {

// A thread leaves the loop to do what may block, and mostly is back within microseconds. To wake
// the other thread each time would cost more than that, so the other takes over only from one that
// is away for longer than the grace, and the loop stands still for at most twice the grace.
class loop_turns {
public:
    static constexpr std::chrono::microseconds grace{500};

    // Blocks until the caller is in the loop: at once if nobody is. False: the loop has ended.
    bool enter();
    // REQUIRES: the caller is in the loop.
    void leave() noexcept;
    // The same, for both and for ever.
    void end() noexcept;

private:
    void stand_by(std::unique_lock<std::mutex>& lock);

    std::mutex mutex_;
    std::condition_variable changed_;
    bool occupied_ = false;
    bool ended_ = false;
    bool watched_ = false;  // somebody stands by, and looks again soon without being told
    std::uint64_t departures_ = 0;
};

}  // namespace orderproc::server::http

#endif
