#include "stages/engine/other_commits.hpp"

#include "core/caught.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::chrono::hours wait_max(24);
// Between two announcements: a busy file would otherwise keep all listeners busy, too.
constexpr std::chrono::milliseconds rest(20);

}  // namespace

other_commits::other_commits(storage& orders, runtime with, commit_listeners& listeners)
    : with_(with), listeners_(listeners) {
    auto made = orders.watch();
    if (made) {
        watch_ = std::move(*made);
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    } else if (made.error().code != errc::not_supported) {
        with_.observer.error("engine.watch", made.error());
    }
}

other_commits::~other_commits() {
    if (!watch_) return;
    thread_.request_stop();
    watch_->interrupt();
    thread_.join();
}

void other_commits::run(const std::stop_token& stop) noexcept {
    try {
        while (!stop.stop_requested()) {
            auto heard = watch_->wait(wait_max);
            if (!heard) return with_.observer.error("engine.watch", heard.error());
            if (!*heard || stop.stop_requested()) continue;
            listeners_.announce();
            std::this_thread::sleep_for(rest);
        }
    } catch (const std::exception& thrown) {  // listeners poll without us
        with_.observer.error("engine.watch", caught(errc::unavailable, thrown.what()));
    } catch (...) {
        with_.observer.error("engine.watch", errc::unavailable);
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
