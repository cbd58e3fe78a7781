#ifndef ORDERPROC_SERVER_WEBHOOKS_REMOVAL_WATCH_HPP
#define ORDERPROC_SERVER_WEBHOOKS_REMOVAL_WATCH_HPP

// Waits until nothing more is sent to endpoints that were removed, by whatever process.

#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace orderproc::server {

// Safe to use from any thread. Looks on a thread of its own, ten times a second while anybody
// waits.
class removal_watch {
public:
    static constexpr std::chrono::milliseconds interval{100};
    static constexpr std::chrono::seconds at_most{15};

    // Both outlive it.
    removal_watch(engine& orders, reader& reads);
    ~removal_watch();      // stop()
    void stop() noexcept;  // whoever waits, or will, is told errc::stopped

    // Calls done once: when the endpoint is silent, or with errc::unavailable when that takes too
    // long.
    void wait_for(std::string id, std::function<void(result<void>)> done);

private:
    struct waiting {
        std::string id;
        std::function<void(result<void>)> done;
        std::chrono::steady_clock::time_point until;
    };
    void run();
    bool is_silent(const std::string& id);

    engine& engine_;
    reader& reads_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<waiting> all_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace orderproc::server

#endif
