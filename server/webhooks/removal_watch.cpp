#include "webhooks/removal_watch.hpp"

#include <orderproc/webhook_store.hpp>

#include <future>
#include <utility>

namespace orderproc::server {

removal_watch::removal_watch(engine& orders, reader& reads)
    : engine_(orders), reads_(reads), thread_([this] { run(); }) {}

removal_watch::~removal_watch() {
    stop();
}

void removal_watch::stop() noexcept {
    std::vector<waiting> left;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    {
        const std::lock_guard lock(mutex_);
        left.swap(all_);
    }
    for (const waiting& it : left) it.done(errc::stopped);
}

void removal_watch::wait_for(std::string id, std::function<void(result<void>)> done) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    std::unique_lock lock(mutex_);
    if (stopping_) {
        lock.unlock();
        return done(errc::stopped);
    }
    all_.push_back({std::move(id), std::move(done), until});
    lock.unlock();
    changed_.notify_all();
}

// Its record is gone, or no sender has its place.
bool removal_watch::is_silent(const std::string& id) {
    const auto gone =
        reads_.use([&](repository_reader& from) { return webhook_is_gone(from, id); });
    if (!gone || *gone) return gone.has_value();
    const auto told = std::make_shared<std::promise<bool>>();
    auto answer = told->get_future();
    webhook_is_silent(engine_, id,
                      [told](result<bool> silent) { told->set_value(silent && *silent); });
    return answer.get();
}

void removal_watch::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (all_.empty()) {
            changed_.wait(lock, [this] { return stopping_ || !all_.empty(); });
            continue;
        }
        std::vector<waiting> now = std::exchange(all_, {});
        lock.unlock();
        std::vector<waiting> left;
        for (waiting& it : now) {
            if (is_silent(it.id)) {
                it.done({});
            } else if (std::chrono::steady_clock::now() >= it.until) {
                it.done(errc::unavailable);
            } else {
                left.push_back(std::move(it));
            }
        }
        lock.lock();
        for (waiting& it : left) all_.push_back(std::move(it));
        if (!all_.empty()) changed_.wait_for(lock, interval, [this] { return stopping_; });
    }
}

}  // namespace orderproc::server
