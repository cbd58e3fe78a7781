// A worker in a daemon that has an epoll loop already, and no thread of ours: engine and worker run
// when the loop calls them. It sleeps until something is ready, or until the worker's next_due.

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/worker.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <limits>
#include <vector>

using namespace orderproc;

namespace {

constexpr std::size_t orders_max = 3;

struct descriptor {
    explicit descriptor(int opened) : fd(opened) {}
    descriptor(const descriptor&) = delete;
    ~descriptor() { ::close(fd); }
    void read() const {
        std::uint64_t count = 0;
        if (::read(fd, &count, sizeof(count)) < 0) return;  // not ready: nothing to take
    }
    const int fd;
};

// The host's device takes orders and is done some milliseconds later: an event of the same loop.
class label_printer final : public processor {
public:
    void start(job work) override {
        printing_.push_back(std::move(work));
        const itimerspec soon{{}, {0, 5'000'000}};
        ::timerfd_settime(timer.fd, 0, &soon, nullptr);
    }
    void done() {
        timer.read();
        for (job& it : printing_) std::move(it).finish(advance{"complete"});
        printing_.clear();
    }
    const descriptor timer{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};

private:
    std::vector<job> printing_;
};

// An order on its way; told when it is stored.
class placing final : public completion {
public:
    void complete(change_outcome& outcome) noexcept override { stored = !outcome.ec; }
    bool stored = false;
};

command order_of(std::int64_t user) {
    submit_order create;
    create.value.user = std::to_string(user);
    create.value.item_ids = {1001};
    create.value.total_amount = {999, "USD"};
    return {.what = std::move(create)};
}

int timeout_ms(const cycle_report& did, orderproc::clock& time) {
    if (did.next_due == orderproc::clock::instant::max()) return -1;  // until something is ready
    const auto left = (did.next_due - time.monotonic()).count();
    return static_cast<int>(std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max()));
}

auto threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
}

}  // namespace

int main() {
    const auto before = threads();
    const descriptor loop(::epoll_create1(EPOLL_CLOEXEC));
    const descriptor ready(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    label_printer printer;
    for (const int fd : {ready.fd, printer.timer.fd}) {
        epoll_event what{.events = EPOLLIN, .data = {.fd = fd}};
        if (::epoll_ctl(loop.fd, EPOLL_CTL_ADD, fd, &what) != 0) return 1;
    }

    const auto stored = make_memory_storage();
    const runtime with = system_runtime();
    engine orders(*stored, status_machine::standard(), with, {.threads = 0});
    worker works(orders, printer,
                 {.threads = 0, .on_ready = [&ready] { ::eventfd_write(ready.fd, 1); }});
    works.start().value();

    std::array<placing, orders_max> placed;
    for (std::size_t i = 0; i < orders_max; ++i) {
        orders.submit(order_of(static_cast<std::int64_t>(i + 1)), placed[i]).value();
    }

    std::size_t done = 0, turns = 0;
    while (true) {
        const cycle_report did = works.run_once();
        done += did.advanced;
        if (done == orders_max) works.stop(std::chrono::seconds(10));  // as on SIGTERM; drains
        // What the worker and the host submitted: one durable transaction at a time.
        std::size_t committed = 0;
        while (const std::size_t batch = orders.run_once().value()) committed += batch;
        if (done == orders_max && did.in_flight == 0 && committed == 0) break;

        std::array<epoll_event, 8> events{};
        const int count =
            ::epoll_wait(loop.fd, events.data(), events.size(), timeout_ms(did, with.time));
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == printer.timer.fd) printer.done();
            if (fd == ready.fd) ready.read();
        }
        ++turns;
    }
    const bool all = std::all_of(placed.begin(), placed.end(), [](auto& it) { return it.stored; });
    std::printf("%zu orders done in %zu turns of the loop, with %ld more threads\n", done, turns,
                static_cast<long>(threads() - before));
    return all && threads() == before ? 0 : 1;
}
