// A stranger's program that needs orderproc::core alone: orders in memory, a worker, and an
// observer of its own.

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <cstdio>
#include <future>
#include <string>

using namespace orderproc;

class listener final : public observer {
public:
    void transition_committed(const transition_report& it) noexcept override {
        std::printf("%s\n", std::string(it.after.status.view()).c_str());
        if (it.after.status == order_status("COMPLETED")) completed.set_value();
    }
    std::promise<void> completed;
};

int main() {
    listener watch;
    const auto orders = make_memory_storage();
    const auto work = make_processor(
        [](const order&, std::stop_token) -> verdict { return advance{"complete"}; }, 1);
    engine writes(*orders, status_machine::standard(), system_runtime(watch));
    worker works(writes, *work);
    works.start().value();

    submit_order submit;
    submit.value.user = "123";
    submit.value.item_ids = {1001};
    submit.value.total_amount = {14999, "USD"};
    if (writes.execute({.what = std::move(submit)}).ec) return 1;

    watch.completed.get_future().wait();
    works.stop(std::chrono::seconds(10));
    return 0;
}
