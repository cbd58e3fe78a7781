// Work that is a coroutine: 10,000 orders at a time, on one thread. Each waits for a timer, as it
// would for a payment provider, and holds nothing but its frame meanwhile.

#include <orderproc/coroutine.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/worker.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>

using namespace orderproc;
namespace asio = boost::asio;

namespace {

constexpr std::size_t orders_max = 10'000;

// Tells when all of them are done.
class all_done final : public observer {
public:
    void attempt_finished(const attempt_report& it) noexcept override {
        if (it.outcome != attempt_outcome::advanced) return;
        if (++count_ == orders_max) done.set_value();
    }
    std::promise<void> done;

private:
    std::atomic<std::size_t> count_{0};
};

command order_of(std::int64_t user) {
    submit_order create;
    create.value.user = std::to_string(user);
    create.value.item_ids = {1001};
    create.value.total_amount = {999, "USD"};
    return {.what = std::move(create)};
}

}  // namespace

int main() {
    asio::io_context context;
    auto alive = asio::make_work_guard(context);
    std::atomic<std::size_t> now{0}, most{0};

    const auto work = make_coroutine_processor(
        context.get_executor(), [&](const order&, std::stop_token) -> asio::awaitable<verdict> {
            most = std::max<std::size_t>(most, ++now);  // one thread: nobody comes in between
            asio::steady_timer provider(co_await asio::this_coro::executor);
            provider.expires_after(std::chrono::seconds(2));
            co_await provider.async_wait(asio::use_awaitable);
            --now;
            co_return advance{"complete"};
        });

    const auto stored = make_memory_storage();
    all_done watch;
    engine orders(*stored, status_machine::standard(), system_runtime(watch));
    worker works(orders, *work, {.in_flight_max = orders_max});
    std::thread thread([&] { context.run(); });
    works.start().value();

    for (std::size_t i = 0; i < orders_max; ++i) {
        if (orders.execute(order_of(static_cast<std::int64_t>(i + 1))).ec) return 1;
    }
    watch.done.get_future().wait();
    works.stop(std::chrono::seconds(10));  // first the worker, then what its jobs run on
    alive.reset();
    thread.join();
    std::printf("%zu orders done, up to %zu at a time, on one thread\n", orders_max, most.load());
    return now == 0 ? 0 : 1;
}
