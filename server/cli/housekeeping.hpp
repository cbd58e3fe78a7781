#ifndef ORDERPROC_SERVER_CLI_HOUSEKEEPING_HPP
#define ORDERPROC_SERVER_CLI_HOUSEKEEPING_HPP

// What a process writes down or removes now and then.

#include "auth/key_table.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/repository.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

namespace orderproc::server {

// Once a minute, and at its end, on a thread of its own: writes down which keys were used since,
// and removes the records of workers that are long gone. Requests only note the minute in memory.
// What cannot be written is reported to the engine's observer, and forgotten.
class housekeeping {
public:
    static constexpr std::chrono::milliseconds interval = std::chrono::minutes(1);

    // All outlive it. keys: none if the storage has no records; then it does nothing. REQUIRES: the
    // engine has threads.
    housekeeping(storage& of, engine& by, auth::key_table* keys);
    ~housekeeping();

private:
    void run() noexcept;
    void write() noexcept;
    void report(std::string_view where, result<void> (housekeeping::*chore)()) noexcept;
    result<void> write_uses();
    result<void> forget_workers();

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
