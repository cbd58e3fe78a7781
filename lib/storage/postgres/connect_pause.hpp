#ifndef ORDERPROC_STORAGE_POSTGRES_CONNECT_PAUSE_HPP
#define ORDERPROC_STORAGE_POSTGRES_CONNECT_PAUSE_HPP

// While no server can be reached, each attempt to connect costs a backend on every host. Readers,
// of which there may be many, share the attempts: one of them tries, and the others are told how
// the last attempt failed. Writers and the watch pace themselves, and are not held up.

#include <orderproc/error.hpp>

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// Safe to use from any thread.
class connect_pause {
public:
    using instant = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds length{250};

    // What a reader is told instead of trying. None: it tries, and says finish() or abandon().
    std::optional<failure> begin(instant now) {
        const std::lock_guard lock(mutex_);
        if (!failed_) return std::nullopt;
        if (trying_ || now < until_) return failed_;
        trying_ = true;
        return std::nullopt;
    }
    // Of a reader's attempt, and of any other. Only errc::unavailable makes others pause.
    void finish(const result<void>& done, instant now) {
        std::optional<failure> why;
        if (!done && done.error().code == errc::unavailable) why = done.error();
        const std::lock_guard lock(mutex_);
        trying_ = false;
        failed_ = std::move(why);
        until_ = now + length;
    }
    // The attempt says nothing about the servers.
    void abandon() noexcept {
        const std::lock_guard lock(mutex_);
        trying_ = false;
    }

private:
    std::mutex mutex_;
    std::optional<failure> failed_;  // the latest attempt
    instant until_;
    bool trying_ = false;  // a reader does, after one that failed
};

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
