#include "observe/webhook_lag.hpp"

#include <algorithm>
#include <exception>

namespace orderproc::server {

void webhook_lag::feed_measured(const feed_report& it) noexcept {
    if (!it.cursor.starts_with("webhook.")) return;
    try {
        const std::lock_guard lock(mutex_);
        endpoints_[std::string(it.cursor)] = {it.lag, time_.monotonic()};
    } catch (const std::exception&) {  // without memory it is measured the next time
    }
}

std::chrono::milliseconds webhook_lag::longest() {
    const std::lock_guard lock(mutex_);
    const auto now = time_.monotonic();
    std::erase_if(endpoints_,
                  [now](const auto& it) { return now - it.second.at >= forgotten_after; });
    std::chrono::milliseconds out{0};
    for (const auto& [cursor, it] : endpoints_) out = std::max(out, it.lag);
    return out;
}

}  // namespace orderproc::server
