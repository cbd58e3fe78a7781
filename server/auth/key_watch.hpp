#ifndef ORDERPROC_SERVER_AUTH_KEY_WATCH_HPP
#define ORDERPROC_SERVER_AUTH_KEY_WATCH_HPP

// Keeps a table of keys up to date.

#include "auth/key_table.hpp"

#include <orderproc/repository.hpp>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace orderproc::server::auth {

// Reads the table again once a second, on a thread and a connection of its own: what another
// process changes counts here within two seconds. A failure is reported once, until it has passed.
class key_watch {
public:
    static constexpr std::chrono::milliseconds interval{1000};

    // Both outlive it. The first look is made before it returns; errc of its failure.
    static result<std::unique_ptr<key_watch>> start(storage& of, key_table& table, observer& tell);
    ~key_watch();

private:
    key_watch(storage& of, key_table& table, observer& tell)
        : storage_(of), table_(table), tell_(tell) {}
    result<void> look();
    void run() noexcept;

    storage& storage_;
    key_table& table_;
    observer& tell_;
    std::unique_ptr<repository_reader> connection_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace orderproc::server::auth

#endif
