#ifndef ORDERPROC_SERVER_OBSERVE_STORAGE_PROBE_HPP
#define ORDERPROC_SERVER_OBSERVE_STORAGE_PROBE_HPP

// Looks whether the storage can be read and, after a write that failed, whether it can be written.

#include "observe/health.hpp"

#include <orderproc/engine.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace orderproc::server {

struct storage_probe_options {
    bool thread = true;  // false: the host calls look()
    std::chrono::milliseconds interval{1000};
    // Called on the thread of each look that could read, with what it counted. It may read more, as
    // a part of the look, and must not throw.
    std::function<void(repository_reader&, const statistics&)> counted = {};
};

// Once a second, on a thread of its own, so that /healthz and /readyz answer at once whatever the
// storage does. Each look opens a connection and reads: what an open connection has in its cache
// says nothing about the storage as it is now.
//
// While the last write has failed, each look also has the engine take a lease of the cursor
// `readiness` and let it go at once. That is a real commit and shows in no list, history or feed.
class storage_probe final : private cursor_completion {
public:
    // All of them outlive it. It is to be destroyed before the engine is.
    storage_probe(storage& orders, engine& writes, health& state,
                  storage_probe_options options = {});
    ~storage_probe();  // waits for the read and for the write that are under way

    // One look. Blocks for as long as the read takes; the write goes on behind it.
    // REQUIRES: options.thread is false; on one thread at a time.
    void look();

private:
    void complete(const cursor_outcome& outcome) noexcept override;
    error_code read() noexcept;
    void write() noexcept;
    void run() noexcept;

    storage& storage_;
    engine& engine_;
    health& state_;
    const storage_probe_options options_;
    error_code reported_;  // the last read that failed, until one succeeds
    // The last look's connection. SQLite rebuilds the index of its log when a file is opened that
    // nobody else has open, and that would be each time on a server that nobody uses.
    std::unique_ptr<repository_reader> kept_;
    // Closed before a look opens its connection, so that it finds descriptors when clients have
    // taken all others: that says nothing about the storage.
    std::unique_ptr<repository_reader> spare_;

    std::mutex mutex_;
    std::condition_variable changed_;
    bool writing_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace orderproc::server

#endif
