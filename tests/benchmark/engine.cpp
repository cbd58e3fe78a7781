// How fast the engine alone stores orders durably, and what that costs once there are many.
//
//   engine_benchmark [--storage FILE] [--fill N] [--orders N] [--callers N] [--rounds N]
//                    [--purge 1]
//
// Fills the file up to N orders, then measures rounds of creates by so many callers, each with
// one order under way, as a server's connections have. Users are random. With --purge 1 the orders
// that fill the file are cancelled as well, then purged, and the rounds are measured once more.

#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/sqlite.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;

namespace {

struct settings {
    std::string storage = "engine-benchmark.db";
    std::uint64_t fill = 0;
    std::uint64_t orders = 100'000;
    std::uint64_t callers = 256;
    std::uint64_t rounds = 3;
    std::uint64_t purge = 0;
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
                                     : name == "--purge"   ? &out.purge
                                                           : nullptr;
        if (!value) return false;
        *value = std::strtoull(argv[i + 1], nullptr, 10);
    }
    return out.callers > 0;
}

// Creates one order after the other, each when the last one is durable; and cancels it, if the run
// settles its orders.
class run;
class caller final : public completion {
public:
    explicit caller(run& of) : of_(of) {}
    void next();
    void complete(change_outcome& outcome) noexcept override;

private:
    void submit(command what);

    run& of_;
    bool created_ = false;  // is to be cancelled
};

class run {
public:
    run(engine& orders, std::uint64_t callers, std::uint64_t wanted, bool settles = false)
        : orders_(orders), left_(wanted), under_way_(callers), settles_(settles) {
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
    const bool settles_;
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
    created_ = of_.settles_;
    submit(std::move(what));
}

void caller::submit(command what) {
    if (!of_.orders_.submit(std::move(what), *this)) of_.leave(true);
}

void caller::complete(change_outcome& outcome) noexcept {
    if (outcome.ec) return of_.leave(true);
    if (!std::exchange(created_, false)) return next();
    command what;
    what.what = raise_event{std::string(outcome.after->id.view()), "cancel", ""};
    submit(std::move(what));
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

// Rounds of creates: how many there are in a second, in the median; 0: one failed.
double measure(storage& orders, engine& writes, const settings& with) {
    std::vector<double> rates;
    for (std::uint64_t i = 0; i < with.rounds; ++i) {
        const std::uint64_t before = stored(orders).value();
        const double cpu = cpu_seconds();
        const auto begun = std::chrono::steady_clock::now();
        if (!run(writes, with.callers, with.orders).wait()) return 0;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
        const auto made = static_cast<double>(with.orders);
        rates.push_back(made / took.count());
        std::printf("%12llu %12.0f %12.1f\n", static_cast<unsigned long long>(before), rates.back(),
                    (cpu_seconds() - cpu) * 1e6 / made);
        std::fflush(stdout);
    }
    std::sort(rates.begin(), rates.end());
    return rates.empty() ? 0 : rates[rates.size() / 2];
}

class purged final : public purge_completion {
public:
    void complete(const purge_outcome& outcome) noexcept override { done_.set_value(outcome); }
    purge_outcome wait() { return done_.get_future().get(); }

private:
    std::promise<purge_outcome> done_;
};

// Everything that is settled.
bool purge_all(engine& writes) {
    std::uint64_t orders = 0;
    const auto begun = std::chrono::steady_clock::now();
    for (bool more = true; more;) {
        purged done;
        if (!writes.submit(purge_orders{writes.runtime().time.now()}, done)) return false;
        const purge_outcome outcome = done.wait();
        if (outcome.ec) return false;
        orders += outcome.orders;
        more = outcome.more;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf("%llu orders were purged in %.1f s\n", static_cast<unsigned long long>(orders),
                took.count());
    return true;
}

int measure_all(const settings& with) {
    sqlite_options options;
    options.path = with.storage;
    const auto orders = open_sqlite(options);
    if (!orders) return std::fprintf(stderr, "%s\n", orders.error().message().c_str()), 1;
    engine_options how;
    if (with.purge != 0) how.keys_kept = std::chrono::milliseconds(0);  // which hold a purge
    engine writes(**orders, status_machine::standard(), system_runtime(), how);
    const auto there = stored(**orders);
    if (!there) return std::fprintf(stderr, "%s\n", there.error().message().c_str()), 1;
    const bool purges = with.purge != 0;
    if (*there < with.fill && !run(writes, 4096, with.fill - *there, purges).wait()) return 1;

    std::printf("%12s %12s %12s\n", "stored", "creates/s", "CPU us each");
    const double before = measure(**orders, writes, with);
    if (!purges || before == 0) return before == 0 ? 1 : 0;
    if (!purge_all(writes)) return 1;
    const double after = measure(**orders, writes, with);
    std::printf("after / before: %.3f\n", after / before);
    return after == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    settings with;
    if (!parse(argc, argv, with)) {
        std::fprintf(stderr,
                     "usage: %s [--storage FILE] [--fill N] [--orders N] [--callers N] "
                     "[--rounds N] [--purge 1]\n",
                     argv[0]);
        return 2;
    }
    return measure_all(with);
}
