#ifndef ORDERPROC_SERVER_OBSERVE_HEALTH_HPP
#define ORDERPROC_SERVER_OBSERVE_HEALTH_HPP

// Is this process fit to be sent requests?

#include <orderproc/observer.hpp>
#include <orderproc/reader.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace orderproc::server {

// Writes tell it how they went: no probe has to write anything.
class health final : public observer {
public:
    void batch_written(const batch_report& it) noexcept override {
        const bool failed = it.ec == errc::unavailable || it.ec == errc::outcome_unknown ||
                            it.ec == errc::corrupt || it.ec == errc::not_supported;
        const std::lock_guard lock(mutex_);
        last_write_ = failed ? it.ec : error_code();
    }

    void stopping() noexcept { stopping_ = true; }

    // Why it is not; empty: it is.
    std::vector<std::string> unready(reader& storage) {
        std::vector<std::string> out;
        if (stopping_) out.emplace_back("shutting down");
        const auto counted = storage.use([](repository& from) { return from.count(); });
        if (!counted) out.push_back("storage cannot be read: " + counted.error().code.message());
        const std::lock_guard lock(mutex_);
        if (last_write_) out.push_back("storage could not be written: " + last_write_.message());
        return out;
    }

private:
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    error_code last_write_;
};

}  // namespace orderproc::server

#endif
