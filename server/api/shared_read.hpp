#ifndef ORDERPROC_SERVER_API_SHARED_READ_HPP
#define ORDERPROC_SERVER_API_SHARED_READ_HPP

// What many ask for at the same time and costs more than a lookup is read once for all of them.

#include <orderproc/error.hpp>
#include <orderproc/runtime.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace orderproc::server {

// Safe to use from any thread. Nobody waits on a thread: see wait().
template <class T>
class shared_read {
public:
    using value = std::shared_ptr<const T>;
    using waiter = std::function<void(const result<value>&)>;

    // A value is shared for so long after it was read. The clock outlives it.
    shared_read(clock& time, std::chrono::milliseconds max_age) : time_(time), max_age_(max_age) {}

    // The value if it is young enough; else reads it on this thread by read(), which returns a
    // result<T>. Nullopt: somebody else is reading it: call wait().
    template <class Read>
    std::optional<result<value>> get(const Read& read) {
        {
            const std::lock_guard lock(mutex_);
            const bool young = read_at_ && time_.monotonic() - *read_at_ < max_age_;
            if (young && last_) return last_;
            if (reading_) return std::nullopt;
            reading_ = true;
        }
        try {
            result<T> got = read();
            return finish(got ? result<value>(std::make_shared<const T>(std::move(*got)))
                              : result<value>(std::move(got).error()));
        } catch (...) {
            (void)finish(result<value>(errc::unavailable));
            throw;
        }
    }

    // Calls done once: with what is being read, on the thread that reads it; at once, with what was
    // read last, if nobody reads. done must not throw.
    void wait(waiter done) {
        std::optional<result<value>> there;
        {
            const std::lock_guard lock(mutex_);
            if (reading_) {
                waiting_.push_back(std::move(done));
            } else {
                there.emplace(last_);
            }
        }
        if (there) done(*there);
    }

    // What was read so far is not shared any more, nor is what is being read now.
    void expire() {
        const std::lock_guard lock(mutex_);
        read_at_.reset();
        outdated_ = reading_;
    }

private:
    result<value> finish(result<value> got) {
        std::vector<waiter> waiting;
        {
            const std::lock_guard lock(mutex_);
            reading_ = false;
            last_ = got;
            read_at_.reset();
            if (!outdated_) read_at_ = time_.monotonic();
            outdated_ = false;
            waiting.swap(waiting_);
        }
        for (const waiter& it : waiting) it(got);
        return got;
    }

    clock& time_;
    const std::chrono::milliseconds max_age_;
    std::mutex mutex_;
    bool reading_ = false;
    bool outdated_ = false;  // what is being read has changed since it began
    std::optional<clock::instant> read_at_;
    result<value> last_{errc::unavailable};
    std::vector<waiter> waiting_;
};

}  // namespace orderproc::server

#endif
