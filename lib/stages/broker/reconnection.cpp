#include "stages/broker/reconnection.hpp"

#include "stages/common/retry_delay.hpp"

#include <chrono>
#include <exception>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

retry_policy pauses() {
    retry_policy out;
    out.base = std::chrono::milliseconds(200);
    out.cap = std::chrono::seconds(10);
    out.jitter = 0.5;
    return out;
}

}  // namespace

reconnection::reconnection(const broker& to, std::string_view user, runtime with)
    : broker_(to.info().name), user_(user), with_(with) {}

void reconnection::made() {
    tell(true, {});
}

void reconnection::of_use() {
    failures_ = 0;
}

void reconnection::failed(const failure& why) noexcept {
    due_ = with_.time.monotonic() + retry_delay({}, pauses(), ++failures_, with_.random.next());
    tell(false, why);
}

// A broker that is away for long is reported once. If there is no memory to note the reason, it may
// be reported again.
void reconnection::tell(bool connected, const failure& why) noexcept {
    const bool same = told_why_.code == why.code && told_why_.detail == why.detail;
    if (told_ && told_connected_ == connected && (connected || same)) return;
    told_ = true;
    told_connected_ = connected;
    try {
        told_why_ = why;
    } catch (const std::exception&) {
        told_why_ = {};
    }
    with_.observer.broker_changed({broker_, user_, connected, why});
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
