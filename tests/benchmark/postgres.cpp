// How fast the engine stores orders in PostgreSQL, as a ratio to what the database itself takes for
// the same rows (postgres_bare.hpp). Run it by tests/benchmark/postgres, which starts a server.
//
//   postgres_benchmark --connection URL [--rounds N] [--seconds S] [--stored N] SCENARIO…
//
// create64, create512: durable creates, so many in a write. finish64: completes 64 orders and
// claims as many in each write. engines: four engines together against one. stored: what reads and
// writes cost at --stored orders against 10,000.

#include "postgres_bare.hpp"

#include <orderproc/codec.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/postgres.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

using namespace orderproc;
using std::chrono::steady_clock;

namespace {

struct settings {
    std::string connection;
    int rounds = 5;
    double seconds = 2;
    std::int64_t stored = 1'000'000;
    std::vector<std::string> scenarios;
};

double seconds_since(steady_clock::time_point begin) {
    return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

double median(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of.empty() ? 0 : of[of.size() / 2];
}

std::unique_ptr<storage> open_schema(const settings& how, const std::string& schema) {
    postgres_options options;
    options.connection = how.connection;
    options.schema = schema;
    (void)migrate_postgres(options, {true}).value();
    return std::move(open_postgres(options)).value();
}

order_content sample() {
    order_content out;
    out.user = "1234567";
    out.item_ids = {1001, 1002, 1003};
    out.total_amount = {14999, "USD"};
    return out;
}

std::string sample_snapshot() {
    order value;
    static_cast<order_content&>(value) = sample();
    value.id = order_id::parse("01JH4ZQ5T5K6W7X8Y9Z0ABCDEF").value();
    value.status = order_status("PENDING");
    std::string out;
    encode(value, out);
    return out;
}

// As many submissions under way as fill two writes: one waits while the other is made.
class creator {
public:
    creator(engine& to, std::size_t under_way) : to_(to) {
        for (std::size_t i = 0; i < under_way; ++i) callers_.emplace_back(*this);
    }

    // Orders that were durable within that time.
    std::uint64_t run(double seconds) {
        stop_ = false;
        done_ = 0;
        running_ = callers_.size();
        for (caller& it : callers_) it.next();
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
        const std::uint64_t out = done_;
        stop_ = true;
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [this] { return running_ == 0; });
        return out;
    }

private:
    class caller final : public completion {
    public:
        explicit caller(creator& of) : of_(of) {}
        void next() {
            command what;
            submit_order made;
            static_cast<order_content&>(made.value) = sample();
            what.what = std::move(made);
            if (of_.stop_ || !of_.to_.submit(std::move(what), *this)) of_.leave();
        }
        void complete(change_outcome& outcome) noexcept override {
            if (!outcome.ec) ++of_.done_;
            next();
        }

    private:
        creator& of_;
    };
    void leave() {
        const std::lock_guard lock(mutex_);
        if (--running_ == 0) ended_.notify_one();
    }

    engine& to_;
    std::deque<caller> callers_;
    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> done_{0};
    std::mutex mutex_;
    std::condition_variable ended_;
    std::size_t running_ = 0;
};

engine_options batches_of(std::size_t changes) {
    engine_options out;
    out.batch_max = changes;
    return out;
}

// Ratios of interleaved windows: first and second take turns in being first.
void compare(const settings& how, const char* name, const char* first_name,
             const std::function<double()>& first, const char* second_name,
             const std::function<double()>& second) {
    std::vector<double> of_first, of_second, ratios;
    (void)first(), (void)second();  // plans, caches
    for (int i = 0; i < how.rounds; ++i) {
        double a = 0, b = 0;
        if (i % 2 == 0) a = first();
        b = second();
        if (i % 2 != 0) a = first();
        of_first.push_back(a);
        of_second.push_back(b);
        ratios.push_back(a / b);
    }
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    std::printf("%-10s %s %.0f/s, %s %.0f/s, ratio %.3f [%.3f, %.3f]\n", name, first_name,
                median(of_first), second_name, median(of_second), median(ratios), *low, *high);
    std::fflush(stdout);
}

void compare_creates(const settings& how, int batch) {
    const auto orders = open_schema(how, "engine");
    const auto bare_orders = open_schema(how, "bare");
    bare_loop bare(how.connection, "bare", sample_snapshot());
    engine writes(*orders, status_machine::standard(), system_runtime(),
                  batches_of(static_cast<std::size_t>(batch)));
    creator creates(writes, 2 * static_cast<std::size_t>(batch));
    compare(
        how, ("create" + std::to_string(batch)).c_str(), "engine",
        [&] { return static_cast<double>(creates.run(how.seconds)) / how.seconds; }, "bare",
        [&] {
            std::uint64_t done = 0;
            const auto begin = steady_clock::now();
            while (seconds_since(begin) < how.seconds) {
                bare.create(batch);
                done += static_cast<std::uint64_t>(batch);
            }
            return static_cast<double>(done) / seconds_since(begin);
        });
}

// A worker that has nothing to do but to claim and to complete. Its engine has no thread.
class finisher {
public:
    finisher(engine& to, std::size_t batch) : to_(to), batch_(batch) {}

    // Completes what the call before claimed, and claims: all of it in one write.
    std::uint64_t round() {
        const auto held = std::exchange(held_, {});
        completed_ = 0;
        std::deque<ending> ends;
        for (const claimed_order& it : held) {
            change what;
            what.order = it.value.id.view();
            what.event = "complete";
            transition_order move;
            move.to = order_status("COMPLETED");
            move.settles = move.completes = true;
            what.action = std::move(move);
            what.lease = it.lease;
            ends.emplace_back(completed_);
            (void)to_.submit(std::move(what), ends.back()).value();
        }
        claiming claims(held_);
        claim wanted;
        wanted.stage = &status_machine::standard().stages().front();
        wanted.worker_id = "benchmark";
        wanted.lease = std::chrono::seconds(30);
        wanted.expires_at = system_runtime().time.now() + wanted.lease;
        wanted.limit = batch_;
        (void)to_.submit(std::move(wanted), claims).value();
        while (!claims.done()) (void)to_.run_once().value();
        return completed_;
    }
    std::uint64_t run(double seconds) {
        std::uint64_t done = 0;
        const auto begin = steady_clock::now();
        while (seconds_since(begin) < seconds) done += round();
        return done;
    }

private:
    class claiming final : public claim_completion {
    public:
        explicit claiming(std::vector<claimed_order>& into) : into_(into) {}
        void complete(error_code, claim_outcome& outcome) noexcept override {
            into_ = std::move(outcome.orders);
            done_ = true;
        }
        bool done() const { return done_; }

    private:
        std::vector<claimed_order>& into_;
        bool done_ = false;
    };
    class ending final : public completion {
    public:
        explicit ending(std::uint64_t& counts) : counts_(counts) {}
        void complete(change_outcome& outcome) noexcept override { counts_ += outcome.ec ? 0 : 1; }

    private:
        std::uint64_t& counts_;
    };

    engine& to_;
    const std::size_t batch_;
    std::uint64_t completed_ = 0;
    std::vector<claimed_order> held_;
};

// So many orders that wait.
void fill(storage& orders, std::uint64_t wanted) {
    engine writes(orders, status_machine::standard(), system_runtime(), batches_of(512));
    creator creates(writes, 1024);
    for (std::uint64_t made = 0; made < wanted;) made += creates.run(0.5);
}

void compare_finishes(const settings& how, int batch) {
    const auto orders = open_schema(how, "engine");
    const auto bare_orders = open_schema(how, "bare");
    const auto wanted = static_cast<std::uint64_t>(6'000 * how.seconds * (how.rounds + 1));
    fill(*orders, wanted);
    fill(*bare_orders, wanted);
    bare_loop bare(how.connection, "bare", sample_snapshot());
    engine_options options = batches_of(static_cast<std::size_t>(batch));
    options.threads = 0;
    engine writes(*orders, status_machine::standard(), system_runtime(), options);
    finisher finishes(writes, static_cast<std::size_t>(batch));
    compare(
        how, ("finish" + std::to_string(batch)).c_str(), "engine",
        [&] { return static_cast<double>(finishes.run(how.seconds)) / how.seconds; }, "bare",
        [&] {
            std::uint64_t done = 0;
            const auto begin = steady_clock::now();
            while (seconds_since(begin) < how.seconds) {
                done += static_cast<std::uint64_t>(bare.move(batch));
            }
            return static_cast<double>(done) / seconds_since(begin);
        });
}

void compare_engines(const settings& how) {
    constexpr std::size_t engines = 4;
    constexpr std::size_t batch = 64;
    struct process {
        std::unique_ptr<storage> orders;
        std::unique_ptr<engine> writes;
        std::unique_ptr<creator> creates;
    };
    std::vector<process> all;
    for (std::size_t i = 0; i < engines; ++i) {
        process& it = all.emplace_back();
        it.orders = open_schema(how, "engine");
        it.writes = std::make_unique<engine>(*it.orders, status_machine::standard(),
                                             system_runtime(), batches_of(batch));
        it.creates = std::make_unique<creator>(*it.writes, 2 * batch);
    }
    compare(
        how, "engines", "four",
        [&] {
            std::atomic<std::uint64_t> done{0};
            {
                std::vector<std::jthread> threads;
                for (process& it : all) {
                    threads.emplace_back([&] { done += it.creates->run(how.seconds); });
                }
            }
            return static_cast<double>(done) / how.seconds;
        },
        "one", [&] { return static_cast<double>(all[0].creates->run(how.seconds)) / how.seconds; });
}

// Rows like those that are there, made by the server.
void multiply(PGconn* db, std::int64_t wanted) {
    const auto sql = [&](const std::string& text) {
        PGresult* const done = PQexec(db, text.c_str());
        const auto status = PQresultStatus(done);
        std::string out;
        if (status == PGRES_TUPLES_OK) out = PQgetvalue(done, 0, 0);
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            std::fprintf(stderr, "%s", PQerrorMessage(db));
            std::exit(1);
        }
        PQclear(done);
        return out;
    };
    sql("SET search_path TO stored");
    const std::string from = sql("SELECT number FROM writes ORDER BY id DESC LIMIT 1");
    if (std::stoll(from) >= wanted) return;  // filling went beyond that
    const std::string to = std::to_string(wanted);
    const std::string numbers = "generate_series(" + from + " + 1, " + to + ") n";
    sql("INSERT INTO orders SELECT n, convert_to('G' || n, 'UTF8'), convert_to((hashint8(n) & "
        "1048575)::text, 'UTF8'), tenant, amount, currency, created_at, item_ids, metadata, extra, "
        "index_entries FROM " +
        numbers + ", (SELECT * FROM orders LIMIT 1) o");
    sql("INSERT INTO work SELECT n, 'COMPLETED', version, attempts, updated_at, next_attempt_at, "
        "first_claimed_at, settled_at, lease, leased, NULL, span, expired_leases, worker_id, "
        "last_error, traceparent FROM " +
        numbers + ", (SELECT * FROM work LIMIT 1) w");
    sql("INSERT INTO journal SELECT (SELECT max(position) FROM journal) - " + from +
        " + n, n, 1, "
        "event, from_status, status, actor, reason, traceparent, at, snapshot FROM " +
        numbers + ", (SELECT * FROM journal WHERE version = 1 LIMIT 1) j");
    sql("UPDATE writes SET number = " + to +
        ", position = (SELECT max(position) FROM journal) "
        "WHERE id = (SELECT max(id) FROM writes)");
    sql("CHECKPOINT");
}

// Microseconds for one call each: median of many.
struct costs {
    double create = 0, claim = 0, first_page = 0, thousandth_page = 0, history = 0, feed = 0,
           count = 0;
};

double median_cost(int times, const std::function<void(int)>& what) {
    std::vector<double> all;
    for (int i = 0; i < times; ++i) {
        const auto begin = steady_clock::now();
        what(i);
        all.push_back(1e6 * seconds_since(begin));
    }
    return median(std::move(all));
}

costs measure(storage& orders) {
    costs out;
    const auto reads = std::move(orders.connect_reader()).value();
    {
        engine_options options = batches_of(64);
        options.threads = 0;
        engine writes(orders, status_machine::standard(), system_runtime(), options);
        finisher finishes(writes, 1);
        out.create = median_cost(200, [&](int) {
            bool done = false;
            command what;
            what.what = submit_order{sample(), {}};
            (void)writes.submit(std::move(what), [&](change_outcome&) { done = true; }).value();
            while (!done) (void)writes.run_once().value();
        });
        out.claim = median_cost(200, [&](int) { (void)finishes.round(); });
    }
    list_params page;
    out.first_page = median_cost(200, [&](int) { (void)reads->list(page).value(); });
    for (int i = 0; i < 200; ++i) {
        const auto found = reads->list(page).value();
        if (!found.next) break;
        page.after = found.next;
    }
    out.thousandth_page = median_cost(200, [&](int) { (void)reads->list(page).value(); });
    const auto first = reads->list({.descending = false, .limit = 1}).value().orders;
    const std::string id(first.front().id.view());
    out.history = median_cost(200, [&](int) { (void)reads->history({.order = id}).value(); });
    const auto newest = reads->read_feed({{}, 1}).value().newest;
    out.feed = median_cost(200, [&](int i) {
        const auto after = newest.offset * static_cast<std::uint64_t>(i % 97) / 100;
        (void)reads->read_feed({{newest.epoch, after}, 100}).value();
    });
    out.count = median_cost(200, [&](int) { (void)reads->count().value(); });
    return out;
}

void compare_stored(const settings& how) {
    const auto orders = open_schema(how, "stored");
    fill(*orders, 10'000);
    const costs few = measure(*orders);
    {
        PGconn* const db = PQconnectdb(how.connection.c_str());
        const auto begin = steady_clock::now();
        multiply(db, how.stored);
        std::printf("stored     %lld orders, loaded in %.0f s\n",
                    static_cast<long long>(how.stored), seconds_since(begin));
        PQfinish(db);
    }
    const costs many = measure(*orders);
    const auto row = [](const char* name, double before, double after) {
        std::printf("stored     %-14s %7.0f us at 10,000, %7.0f us, ratio %.2f\n", name, before,
                    after, after / before);
    };
    row("create", few.create, many.create);
    row("claim, finish", few.claim, many.claim);
    row("page 1", few.first_page, many.first_page);
    row("a far page", few.thousandth_page, many.thousandth_page);
    row("history", few.history, many.history);
    row("feed page", few.feed, many.feed);
    row("count", few.count, many.count);
}

bool parse(int argc, char** argv, settings& out) {
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (!word.starts_with("--")) {
            out.scenarios.push_back(word);
            continue;
        }
        if (++i == argc) return false;
        if (word == "--connection") {
            out.connection = argv[i];
        } else if (word == "--rounds") {
            out.rounds = std::atoi(argv[i]);
        } else if (word == "--seconds") {
            out.seconds = std::atof(argv[i]);
        } else if (word == "--stored") {
            out.stored = std::atoll(argv[i]);
        } else {
            return false;
        }
    }
    return !out.connection.empty() && !out.scenarios.empty();
}

}  // namespace

int main(int argc, char** argv) {
    settings how;
    if (!parse(argc, argv, how)) {
        std::fprintf(stderr,
                     "usage: %s --connection URL [--rounds N] [--seconds S] [--stored N] "
                     "create64|create512|finish64|engines|stored…\n",
                     argv[0]);
        return 2;
    }
    for (const std::string& it : how.scenarios) {
        if (it == "create64") compare_creates(how, 64);
        if (it == "create512") compare_creates(how, 512);
        if (it == "finish64") compare_finishes(how, 64);
        if (it == "engines") compare_engines(how);
        if (it == "stored") compare_stored(how);
    }
    return 0;
}
