#include "processors/simulate.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

using steady = std::chrono::steady_clock;

class simulation final : public processor {
public:
    simulation(std::chrono::milliseconds takes, std::string event)
        : takes_(takes), event_(std::move(event)), thread_([this] { run(); }) {}

    ~simulation() override {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    void start(job work) override {
        if (takes_ == std::chrono::milliseconds::zero()) {
            std::move(work).finish(advance{event_});
            return;
        }
        bool earliest = false;
        {
            const std::lock_guard lock(mutex_);
            const auto at = waiting_.emplace(steady::now() + takes_, std::move(work));
            earliest = at == waiting_.begin();
        }
        if (earliest) changed_.notify_one();
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            if (waiting_.empty()) {
                changed_.wait(lock);
                continue;
            }
            const auto due = waiting_.begin()->first;
            if (steady::now() < due) {
                changed_.wait_until(lock, due);
                continue;
            }
            auto node = waiting_.extract(waiting_.begin());
            lock.unlock();
            std::move(node.mapped()).finish(advance{event_});
            lock.lock();
        }
    }

    const std::chrono::milliseconds takes_;
    const std::string event_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<steady::time_point, job> waiting_;  // bounded by the worker's in_flight_max
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<processor> make_simulation(std::chrono::milliseconds takes, std::string event) {
    return std::make_unique<simulation>(takes, std::move(event));
}

}  // namespace orderproc::server
