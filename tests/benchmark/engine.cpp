// How fast the engine alone stores orders durably, and what that costs once there are many.
//
//   engine_benchmark [--storage FILE] [--fill N] [--orders N] [--callers N] [--rounds N]
//
// Fills the file up to N orders, then measures rounds of creates by so many callers, each with
// one order under way, as a server's connections have. Users are random.

#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/sqlite.hpp>

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>

using namespace orderproc;

namespace {

struct settings {
    std::string storage = "engine-benchmark.db";
    std::uint64_t fill = 0;
    std::uint64_t orders = 100'000;
    std::uint64_t callers = 256;
    std::uint64_t rounds = 3;
};

bool parse(int argc, char** argv, settings& out) {
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) return false;
        const std::string name = argv[i];
        if (name == "--storage") {
            out.storage = argv[i + 1];
            continue;
        }
        std::uint64_t* const value = name == "--fill"      ? &out.fill
                                     : name == "--orders"  ? &out.orders
                                     : name == "--callers" ? &out.callers
                                     : name == "--rounds"  ? &out.rounds
                                                           : nullptr;
        if (!value) return false;
        *value = std::strtoull(argv[i + 1], nullptr, 10);
    }
    return out.callers > 0;
}

// Creates one order after the other, each when the last one is durable.
class run;
class caller final : public completion {
public:
    explicit caller(run& of) : of_(of) {}
    void next();
    void complete(change_outcome& outcome) noexcept override;

private:
    run& of_;
};

class run {
public:
    run(engine& orders, std::uint64_t callers, std::uint64_t wanted)
        : orders_(orders), left_(wanted), under_way_(callers) {
        for (std::uint64_t i = 0; i < callers; ++i) callers_.emplace_back(*this);
        for (caller& it : callers_) it.next();
    }

    bool wait() {
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return under_way_ == 0; });
        return !failed_;
    }

private:
    friend class caller;

    // False: there is nothing more to do.
    bool take() {
        std::uint64_t left = left_.load();
        while (left > 0 && !left_.compare_exchange_weak(left, left - 1)) {
        }
        return left > 0;
    }
    void leave(bool failed) {
        const std::lock_guard lock(mutex_);
        failed_ = failed_ || failed;
        if (--under_way_ == 0) done_.notify_one();
    }

    engine& orders_;
    std::atomic<std::uint64_t> left_;
    std::deque<caller> callers_;
    std::mutex mutex_;
    std::condition_variable done_;
    std::uint64_t under_way_;
    bool failed_ = false;
};

void caller::next() {
    if (!of_.take()) return of_.leave(false);
    submit_order made;
    made.value.user = std::to_string(1 + (of_.orders_.runtime().random.next() >> 34));
    made.value.item_ids = {1001, 1002, 1003};
    made.value.total_amount = {14999, "USD"};
    command what;
    what.what = std::move(made);
    if (!of_.orders_.submit(std::move(what), *this)) of_.leave(true);
}

void caller::complete(change_outcome& outcome) noexcept {
    if (outcome.ec) return of_.leave(true);
    next();
}

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& it) {
        return static_cast<double>(it.tv_sec) + static_cast<double>(it.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

result<std::uint64_t> stored(storage& orders) {
    auto connection = orders.connect_reader();
    if (!connection) return std::move(connection).error();
    auto counted = (*connection)->count();
    if (!counted) return std::move(counted).error();
    std::uint64_t out = 0;
    for (const status_count& it : counted->orders) out += it.orders;
    return out;
}

int measure(const settings& with) {
    sqlite_options options;
    options.path = with.storage;
    const auto orders = open_sqlite(options);
    if (!orders) return std::fprintf(stderr, "%s\n", orders.error().message().c_str()), 1;
    engine writes(**orders, status_machine::standard(), system_runtime());
    const auto there = stored(**orders);
    if (!there) return std::fprintf(stderr, "%s\n", there.error().message().c_str()), 1;
    if (*there < with.fill && !run(writes, 4096, with.fill - *there).wait()) return 1;

    std::printf("%12s %12s %12s\n", "stored", "creates/s", "CPU us each");
    for (std::uint64_t i = 0; i < with.rounds; ++i) {
        const std::uint64_t before = stored(**orders).value();
        const double cpu = cpu_seconds();
        const auto begun = std::chrono::steady_clock::now();
        if (!run(writes, with.callers, with.orders).wait()) return 1;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
        const auto made = static_cast<double>(with.orders);
        std::printf("%12llu %12.0f %12.1f\n", static_cast<unsigned long long>(before),
                    made / took.count(), (cpu_seconds() - cpu) * 1e6 / made);
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    settings with;
    if (!parse(argc, argv, with)) {
        std::fprintf(stderr,
                     "usage: %s [--storage FILE] [--fill N] [--orders N] [--callers N] "
                     "[--rounds N]\n",
                     argv[0]);
        return 2;
    }
    return measure(with);
}
