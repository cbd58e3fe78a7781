// A batch program without a thread of its own: it submits its orders, works on them in its loop,
// and ends when there is nothing left to do.

#include <orderproc/memory.hpp>
#include <orderproc/runnable.hpp>
#include <orderproc/worker.hpp>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;

namespace {

// One in ten has to be tried twice.
struct printer final : processor {
    void start(job it) override {
        const bool jammed = ++printed % 10 == 0;
        verdict said = advance{"complete"};
        if (jammed) said = retry_later{"paper jam", std::chrono::milliseconds(1)};
        std::move(it).finish(std::move(said));
    }
    int printed = 0;
};

// Where a program with an event loop would have an eventfd.
class alarm_clock {
public:
    void ring() {
        const std::lock_guard lock(mutex_);
        rung_ = true;
        ready_.notify_one();
    }
    void sleep_until(orderproc::clock::instant due, orderproc::clock& time) {
        std::unique_lock lock(mutex_);
        ready_.wait_for(lock, due - time.monotonic(), [this] { return rung_; });
        rung_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable ready_;
    bool rung_ = false;
};

}  // namespace

int main() {
    alarm_clock sleeper;
    const auto ring = [&sleeper] { sleeper.ring(); };
    const runtime with = system_runtime();
    const auto stored = make_memory_storage();
    const auto model = order_model::build({.items = items_form::lines, .user = user_form::text});
    engine orders(*stored, status_machine::standard(), *model, with,
                  {.threads = 0, .on_ready = ring});
    printer work;
    worker works(orders, work, {.threads = 0, .on_ready = ring});
    works.start().value();

    std::vector<command> labels;
    for (int i = 1; i <= 100; ++i) {
        submit_order label;
        label.value.user = "shop";
        label.value.lines.push_back({"LABEL-" + std::to_string(i)});
        label.value.total_amount = {0, "EUR"};
        labels.push_back({.what = std::move(label)});
    }
    for (const change_outcome& made : orders.execute_all(std::move(labels))) {
        if (made.ec) return 1;
    }
    reader reads(*stored);
    const auto idle = [&](repository_reader& from) { return is_idle(from, orders.machine()); };
    while (!reads.use(idle).value()) {
        const auto due = run_due(with.time, works, orders);
        if (due > with.time.monotonic()) sleeper.sleep_until(due, with.time);  // or until on_ready
    }
    const auto counted = reads.use([](repository_reader& from) { return from.count(); }).value();
    std::printf("%d labels printed for %llu orders\n", work.printed,
                static_cast<unsigned long long>(counted.completed));
    return counted.completed == 100 ? 0 : 1;
}
