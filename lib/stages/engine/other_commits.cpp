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
// Between two attempts to build a watch.
constexpr std::chrono::milliseconds rebuild_pause(500);

}  // namespace

other_commits::other_commits(storage& orders, runtime with, commit_listeners& listeners)
    : orders_(orders), with_(with), listeners_(listeners) {
    auto made = orders.watch();
    if (made) {
        watch_ = std::move(*made);
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    } else if (made.error().code != errc::not_supported) {
        with_.observer.error("engine.watch", made.error());
    }
}

other_commits::~other_commits() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    {
        const std::lock_guard lock(mutex_);
        if (watch_) watch_->interrupt();
    }
    thread_.join();
}

void other_commits::run(const std::stop_token& stop) noexcept {
    try {
        listen(stop);
    } catch (const std::exception& thrown) {  // listeners poll without us
        with_.observer.error("engine.watch", caught(errc::unavailable, thrown.what()));
    } catch (...) {
        with_.observer.error("engine.watch", errc::unavailable);
    }
}

void other_commits::listen(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto heard = watch_->wait(wait_max);
        if (!heard) {
            with_.observer.error("engine.watch", heard.error());
            build_anew(stop);
        } else if (!*heard || stop.stop_requested()) {
            continue;
        }
        listeners_.announce();  // and what was committed while nobody listened
        std::this_thread::sleep_for(rest);
    }
}

// Until it could be built, or somebody stops us.
void other_commits::build_anew(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        lock.unlock();
        auto made = orders_.watch();
        lock.lock();
        if (made) {
            watch_ = std::move(*made);
            return;
        }
        stopped_.wait_for(lock, stop, rebuild_pause, [] { return false; });
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
