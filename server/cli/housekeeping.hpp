#ifndef ORDERPROC_SERVER_CLI_HOUSEKEEPING_HPP
#define ORDERPROC_SERVER_CLI_HOUSEKEEPING_HPP

// What a process writes down or removes now and then.

#include "auth/key_table.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/repository.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

namespace orderproc::server {

// Orders that go by themselves when their latest change is so old.
struct retention {
    std::optional<std::chrono::milliseconds> age = {};  // none: they are kept for ever
};

// Once a minute, and at its end, on a thread of its own: writes down which keys were used since,
// and removes the records of workers that are long gone. Requests only note the minute in memory.
// At its beginning and once an hour it purges what retention says, in small steps with pauses;
// dead letters and cursors hold it back. What cannot be written is reported to the engine's
// observer, and forgotten.
class housekeeping {
public:
    static constexpr std::chrono::milliseconds interval = std::chrono::minutes(1);
    static constexpr std::chrono::milliseconds purge_interval = std::chrono::hours(1);
    static constexpr std::chrono::milliseconds purge_step_pause{100};

    // All outlive it. keys: none if the storage has no records; then it does nothing. REQUIRES: the
    // engine has threads, and the storage capability::purge if there is an age.
    housekeeping(storage& of, engine& by, auth::key_table* keys, retention kept = {});
    ~housekeeping();

private:
    void run() noexcept;
    void write() noexcept;
    void report(std::string_view where, result<void> (housekeeping::*chore)()) noexcept;
    result<void> write_uses();
    result<void> forget_workers();
    result<void> purge_old();
    bool wait(std::chrono::milliseconds time);

    storage& storage_;
    engine& engine_;
    auth::key_table* const keys_;
    const retention kept_;
    clock::instant purge_next_{};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace orderproc::server

#endif
