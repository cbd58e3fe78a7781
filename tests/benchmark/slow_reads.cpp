// What a storage whose reads take long does to writes.
//
//   slow_reads [--storage FILE] [--seconds N] [--rate N] [--readers N] [--rounds N]
//
// A server with one event loop, over SQLite, is posted to at a steady rate, in turns alone and
// while as many clients as --readers read orders by id and lists, each of whose reads takes a
// second. Prints by how much the 99th percentile of POST rises, in the median.

#include "api/api_service.hpp"
#include "bench/load.hpp"
#include "http/server.hpp"

#include <orderproc/sqlite.hpp>
#include <orderproc/testing/fault_storage.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;

namespace {

constexpr std::chrono::seconds read_time(1);
constexpr std::uint64_t stored = 10'000;

struct settings {
    std::string storage = "slow-reads.db";
    std::uint64_t seconds = 10;
    std::uint64_t rate = 2000;
    std::uint64_t readers = 64;
    std::uint64_t rounds = 5;
};

bool parse(int argc, char** argv, settings& out) {
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) return false;
        const std::string name = argv[i];
        if (name == "--storage") {
            out.storage = argv[i + 1];
            continue;
        }
        std::uint64_t* const value = name == "--seconds"   ? &out.seconds
                                     : name == "--rate"    ? &out.rate
                                     : name == "--readers" ? &out.readers
                                     : name == "--rounds"  ? &out.rounds
                                                           : nullptr;
        if (!value) return false;
        *value = std::strtoull(argv[i + 1], nullptr, 10);
    }
    return out.seconds > 0 && out.rounds > 0 && out.readers > 1;
}

class experiment {
public:
    experiment(storage& orders, const settings& with) : with_(with), store_(orders) {
        store_.on_call([this](const testing::fault_site& at) {
            const bool reads = at.call == testing::fault_call::read;
            if (reads && slow_) std::this_thread::sleep_for(read_time);
        });
        read_pool_options options;
        options.load_thread = false;
        reads_.emplace(store_, options);
        handlers_.emplace(writes_, *reads_);
        service_.emplace(*handlers_);
        http::server_options listen;
        listen.connections_per_address_max = listen.connections_max;
        server_ = http::server::open(listen, *service_).value();
    }

    bool fill() {
        load_options all = posts();
        all.id_seed = id_seed_;
        all.rate = 0;
        all.requests = stored;
        all.duration = std::chrono::minutes(1);
        const auto done = run_load(all);
        return done && done->succeeded == stored;
    }

    // 99th percentiles, in microseconds, alone and beside reads.
    bool round(std::uint64_t number, std::uint32_t& alone, std::uint32_t& beside) {
        for (const bool first : {true, false}) {
            const bool slow = first == (number % 2 == 1);
            const auto made = slow ? post_beside_reads() : run_load(posts());
            if (!made || made->succeeded == 0 || made->refused + made->broken > 0) return false;
            (slow ? beside : alone) = made->percentile(0.99);
        }
        return true;
    }
    std::uint64_t answered_reads() const { return read_; }

private:
    load_options posts() {
        load_options out;
        out.port = server_->port();
        out.method = "POST";
        out.target = "/orders";
        out.body =
            R"({"order_id":"{id}","user_id":123,"item_ids":[1001,1002,1003],"total_amount":149.99})";
        out.id_seed = ++seed_;
        out.rate = static_cast<double>(with_.rate);
        out.duration = std::chrono::seconds(with_.seconds);
        return out;
    }

    result<load_result> post_beside_reads() {
        slow_ = true;
        std::vector<std::thread> readers;
        for (const char* target : {"/orders/{id}", "/orders?limit=50"}) {
            readers.emplace_back([this, target] {
                load_options it;
                it.port = server_->port();
                it.target = target;
                it.id_seed = id_seed_;
                it.ids_known = stored;
                it.connections = with_.readers / 2;
                it.duration = std::chrono::seconds(with_.seconds + 1);
                const auto done = run_load(it);
                if (done) read_ += done->succeeded;
            });
        }
        auto out = run_load(posts());
        slow_ = false;
        for (std::thread& it : readers) it.join();
        return out;
    }

    const settings with_;
    std::atomic<bool> slow_{false};
    std::atomic<std::uint64_t> read_{0};
    // New orders each time that it is run, also over a storage that has some.
    const std::uint64_t id_seed_ = std::random_device{}();
    std::uint64_t seed_ = id_seed_;
    testing::fault_storage store_;
    engine writes_{store_, status_machine::standard(), system_runtime()};
    std::optional<read_pool> reads_;
    std::optional<api> handlers_;
    std::optional<api_service> service_;
    std::unique_ptr<http::server> server_;
};

int measure(const settings& with) {
    sqlite_options options;
    options.path = with.storage;
    const auto orders = open_sqlite(options);
    if (!orders) return std::fprintf(stderr, "%s\n", orders.error().message().c_str()), 1;
    experiment it(**orders, with);
    if (!it.fill()) return std::fprintf(stderr, "orders were refused\n"), 1;
    std::vector<double> rises;
    std::printf("%8s %14s %14s\n", "round", "p99 alone us", "p99 beside us");
    for (std::uint64_t i = 0; i < with.rounds; ++i) {
        std::uint32_t alone = 0, beside = 0;
        if (!it.round(i, alone, beside)) {
            return std::fprintf(stderr, "orders were refused\n"), 1;
        }
        std::printf("%8llu %14u %14u\n", static_cast<unsigned long long>(i + 1), alone, beside);
        std::fflush(stdout);
        rises.push_back(static_cast<double>(beside) - alone);
    }
    std::sort(rises.begin(), rises.end());
    std::printf("p99 rises by %.1f ms; %llu reads were answered\n", rises[rises.size() / 2] / 1000,
                static_cast<unsigned long long>(it.answered_reads()));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    settings with;
    if (!parse(argc, argv, with)) {
        std::fprintf(stderr,
                     "usage: %s [--storage FILE] [--seconds N] [--rate N] [--readers N] "
                     "[--rounds N]\n",
                     argv[0]);
        return 2;
    }
    return measure(with);
}
