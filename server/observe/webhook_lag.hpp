#ifndef ORDERPROC_SERVER_OBSERVE_WEBHOOK_LAG_HPP
#define ORDERPROC_SERVER_OBSERVE_WEBHOOK_LAG_HPP

// How late webhook endpoints are told: one number for all of them.

#include <orderproc/observer.hpp>
#include <orderproc/runtime.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace orderproc::server {

// A sender measures each endpoint that it sends for every second. What it has not measured for ten
// seconds is another sender's, or was deleted.
class webhook_lag final : public observer {
public:
    static constexpr std::chrono::seconds forgotten_after{10};

    explicit webhook_lag(clock& time) : time_(time) {}  // which outlives it

    void feed_measured(const feed_report& it) noexcept override;
    // Of the endpoint that is the latest.
    std::chrono::milliseconds longest();

private:
    struct measured {
        std::chrono::milliseconds lag;
        clock::instant at;
    };
    clock& time_;
    std::mutex mutex_;
    std::map<std::string, measured, std::less<>> endpoints_;  // by cursor
};

}  // namespace orderproc::server

#endif
