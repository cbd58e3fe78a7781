#ifndef ORDERPROC_SERVER_OBSERVE_HEALTH_HPP
#define ORDERPROC_SERVER_OBSERVE_HEALTH_HPP

// Is this process fit to be sent requests?

#include <orderproc/observer.hpp>
#include <orderproc/reader.hpp>

#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <utility>
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

    void broker_changed(const broker_report& it) noexcept override {
        try {
            std::string reason;
            if (!it.connected) {
                reason = std::string(it.connection) + ": no connection to " +
                         std::string(it.broker) + ": " + it.why.message();
            }
            const std::lock_guard lock(mutex_);
            broken_[std::string(it.connection)] = std::move(reason);
        } catch (const std::exception&) {  // out of memory: it is said the next time
        }
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

    // What is not as it should be, though orders are accepted and worked on.
    std::vector<std::string> degraded() {
        std::vector<std::string> out;
        const std::lock_guard lock(mutex_);
        for (const auto& [connection, reason] : broken_) {
            if (!reason.empty()) out.push_back(reason);
        }
        return out;
    }

private:
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    error_code last_write_;
    std::map<std::string, std::string> broken_;  // connections and why; empty: all is well
};

}  // namespace orderproc::server

#endif
