#include <orderproc/runnable.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_every = std::chrono::seconds(1);

class commit_count final : public commit_listener {
public:
    explicit commit_count(engine& of) : of_(of) { of_.add_listener(*this); }
    ~commit_count() override { of_.remove_listener(*this); }
    commit_count(const commit_count&) = delete;
    commit_count& operator=(const commit_count&) = delete;

    void committed() noexcept override {
        const std::lock_guard lock(mutex_);
        changed_ = true;
        ready_.notify_one();
    }
    // Since it was called last.
    void wait(milliseconds at_most) {
        std::unique_lock lock(mutex_);
        ready_.wait_for(lock, at_most, [this] { return changed_; });
        changed_ = false;
    }

private:
    engine& of_;
    std::mutex mutex_;
    std::condition_variable ready_;
    bool changed_ = false;
};

}  // namespace

result<bool> is_idle(repository_reader& from, const status_machine& machine) {
    auto counted = from.count();
    if (!counted) return std::move(counted).error();
    const auto& all = counted->orders;
    return std::none_of(all.begin(), all.end(), [&](const status_count& it) {
        return it.orders > 0 &&
               (machine.stage_waiting_in(it.status) || machine.stage_active_in(it.status));
    });
}

result<bool> wait_until_idle(engine& orders, reader& from, milliseconds at_most) {
    clock& time = orders.runtime().time;
    const auto end = time.monotonic() + at_most;
    commit_count commits(orders);
    for (;;) {
        auto idle = from.use([&](repository_reader& by) { return is_idle(by, orders.machine()); });
        if (idle && *idle) return true;
        const auto left = end - time.monotonic();
        if (left <= left.zero()) return idle;
        commits.wait(std::min<milliseconds>(left, look_every));
    }
}

}  // namespace v1
}  // namespace orderproc
