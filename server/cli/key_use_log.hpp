#ifndef ORDERPROC_SERVER_CLI_KEY_USE_LOG_HPP
#define ORDERPROC_SERVER_CLI_KEY_USE_LOG_HPP

// Writes down when keys were used.

#include "auth/key_table.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/repository.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace orderproc::server {

// Once a minute, and at its end, on a thread of its own: all keys that were used since, in one
// batch of the engine's. Requests only note the minute in memory. What cannot be written is
// reported to the engine's observer, and forgotten.
class key_use_log {
public:
    static constexpr std::chrono::milliseconds interval = std::chrono::minutes(1);

    // All outlive it. keys: none, and it does nothing. REQUIRES: the engine has threads.
    key_use_log(storage& of, engine& by, auth::key_table* keys);
    ~key_use_log();

private:
    void run() noexcept;
    void write() noexcept;

    storage& storage_;
    engine& engine_;
    auth::key_table* const keys_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace orderproc::server

#endif
