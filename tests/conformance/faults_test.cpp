// Engine and worker in front of storages that fail by chance: what was acknowledged is there once
// and was completed once, whatever was lost on the way.

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/fault_storage.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/verify.hpp>
#include <orderproc/worker.hpp>

#ifdef ORDERPROC_TESTS_SQLITE
#include <orderproc/sqlite.hpp>
#endif

#include <boost/test/unit_test.hpp>

#include <stdlib.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;
using testing::fault_storage;

namespace {

constexpr std::size_t orders_in_a_run = 24;

testing::fault_options stormy(std::uint64_t seed) {
    testing::fault_options out;
    out.seed = seed;
    out.connect = {.unavailable = 0.2};
    out.write = {0.05, 0.05, 0.1, 0.1};
    out.was_applied = {.unavailable = 0.2, .connection_lost = 0.1};
    return out;
}

// The same at every try. Half of them leave their id to the library: only the key tells that a
// second try is not a second order.
command order_number(std::size_t i) {
    testing::order_builder it;
    it.user(static_cast<std::int64_t>(1 + i % 3)).items({7, 9});
    if (i % 2 == 0) it.id("O-" + std::to_string(i));
    return it.submit({.key = "key " + std::to_string(i)});
}

bool try_again(const error_code& ec) {
    return ec == errc::unavailable || ec == errc::outcome_unknown || ec == errc::overloaded;
}

// Asks until it is answered, as a client does.
class client final : public completion {
public:
    explicit client(std::size_t number) : number_(number) {}

    void ask(engine& of) {
        if (under_way_ || acknowledged) return;
        under_way_ = true;
        ++tries;
        if (!of.submit(order_number(number_), *this)) under_way_ = false;
    }
    void complete(change_outcome& outcome) noexcept override {
        under_way_ = false;
        if (outcome.ec) {
            if (!try_again(outcome.ec)) refusal = outcome.ec.message();
        } else {
            acknowledged = std::string(outcome.after->id->view());
        }
    }

    std::optional<std::string> acknowledged;  // the id
    std::string refusal;
    int tries = 0;

private:
    std::size_t number_;
    bool under_way_ = false;
};

// Finishes at once, later, too late, or fails.
class moody final : public processor {
public:
    explicit moody(std::uint64_t seed) : chance_(seed) {}

    void start(job work) override {
        if (chance_.next() % 4 == 0) return later_.push_back(std::move(work));
        finish(std::move(work));
    }
    void look_again() {
        if (later_.empty() || chance_.next() % 8 != 0) return;
        job work = std::move(later_.front());
        later_.pop_front();
        finish(std::move(work));
    }

private:
    void finish(job work) {
        if (chance_.next() % 4 == 0) {
            std::move(work).finish(retry_later{"not today", 100ms});
        } else {
            std::move(work).finish(advance{"complete"});
        }
    }
    testing::seeded_random chance_;
    std::deque<job> later_;
};

std::uint64_t completed(repository& from) {
    return from.count().value().completed;
}

// What the whole library is for.
void expect_once_each(repository& from, const std::vector<std::string>& acknowledged) {
    const auto report = verify(from, status_machine::standard()).value();
    BOOST_TEST(!report.difference.has_value(), report.difference.value_or(""));
    BOOST_TEST(report.orders == orders_in_a_run);
    const std::set<std::string> different(acknowledged.begin(), acknowledged.end());
    BOOST_TEST(different.size() == orders_in_a_run);
    for (const std::string& id : different) {
        int creates = 0, completes = 0;
        for (const auto& entry : from.history({id, {}, 1000}).value()) {
            creates += entry.event == "create" ? 1 : 0;
            completes += entry.event == "complete" ? 1 : 0;
        }
        BOOST_TEST(creates == 1, id << " was created " << creates << " times");
        BOOST_TEST(completes == 1, id << " was completed " << completes << " times");
    }
}

worker_options patient() {
    worker_options out;
    out.worker_id = "w";
    out.lease = 3s;
    out.retry.attempts_max = 1000;  // faults use attempts up
    out.retry.base = 100ms;
    out.retry.cap = 1s;
    return out;
}

// One thread, a clock that is moved: the same run for the same seed. How many faults there were.
std::size_t run_by_hand(storage& inner, std::uint64_t seed) {
    fault_storage orders(inner, stormy(seed));
    testing::manual_clock time;
    testing::seeded_random random(seed);
    observer nobody;
    moody work(seed);
    engine_options options;
    options.threads = 0;
    options.resolve_attempts = 2;
    std::deque<client> clients;
    for (std::size_t i = 0; i < orders_in_a_run; ++i) clients.emplace_back(i);
    const auto reading = inner.connect(connection_role::reader).value();
    engine front(orders, status_machine::standard(), {time, random, nobody}, options);
    worker_options by_hand = patient();
    by_hand.threads = 0;
    worker works(front, work, by_hand);
    works.start().value();
    for (int step = 0; step < 20'000 && completed(*reading) < orders_in_a_run; ++step) {
        for (client& it : clients) it.ask(front);
        (void)front.run_once();  // a failure is said to those whose write it was
        works.run_once();
        work.look_again();
        time.advance(100ms);
    }
    orders.calm();
    for (int step = 0; step < 1000; ++step) {  // what is still under way
        for (client& it : clients) it.ask(front);
        (void)front.run_once();
    }
    std::vector<std::string> acknowledged;
    for (const client& it : clients) {
        BOOST_TEST(it.refusal == "");
        BOOST_REQUIRE(it.acknowledged.has_value());
        acknowledged.push_back(*it.acknowledged);
    }
    expect_once_each(*reading, acknowledged);
    return orders.faults();
}

// The engine's and the worker's own threads, two clients, and delays.
void run_with_threads(storage& inner, std::uint64_t seed) {
    testing::fault_options options = stormy(seed);
    options.delay_max = 200us;
    fault_storage orders(inner, options);
    const auto work = make_processor(
        [](const order&, std::stop_token) -> verdict { return advance{"complete"}; }, 2);
    engine front(orders, status_machine::standard(), system_runtime());
    worker_options fast = patient();
    fast.lease = 300ms;
    fast.sweep = 20ms;
    worker works(front, *work, fast);
    works.start().value();
    std::vector<std::string> acknowledged(orders_in_a_run);
    const auto ask = [&](std::size_t from) {
        for (std::size_t i = from; i < orders_in_a_run; i += 2) {
            change_outcome outcome;
            do {
                outcome = front.execute(order_number(i));
            } while (outcome.ec && try_again(outcome.ec));
            if (!outcome.ec) acknowledged[i] = outcome.after->id->view();
        }
    };
    { const std::jthread first(ask, 0), second(ask, 1); }
    const auto reading = inner.connect(connection_role::reader).value();
    while (completed(*reading) < orders_in_a_run) std::this_thread::yield();
    works.stop(10s);
    expect_once_each(*reading, acknowledged);
}

}  // namespace

BOOST_AUTO_TEST_CASE(faults_of_memory_lose_and_double_nothing) {
    std::size_t faults = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            const auto inner = make_memory_storage();
            faults += run_by_hand(*inner, seed);
        }
    }
    BOOST_TEST(faults > 1000U);
    BOOST_TEST_MESSAGE(faults << " faults");
}

BOOST_AUTO_TEST_CASE(the_same_seed_has_the_same_faults) {
    const auto first = make_memory_storage();
    const auto second = make_memory_storage();
    BOOST_TEST(run_by_hand(*first, 42) == run_by_hand(*second, 42));
}

BOOST_AUTO_TEST_CASE(faults_under_threads_lose_and_double_nothing) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            const auto inner = make_memory_storage();
            run_with_threads(*inner, seed);
        }
    }
}

#ifdef ORDERPROC_TESTS_SQLITE

BOOST_AUTO_TEST_CASE(faults_of_sqlite_lose_and_double_nothing) {
    std::string folder = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(folder.data()));
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            sqlite_options file;
            file.path = folder + "/" + std::to_string(seed) + ".db";
            const auto inner = open_sqlite(std::move(file)).value();
            BOOST_TEST(run_by_hand(*inner, seed) > 0U);
        }
    }
    std::filesystem::remove_all(folder);
}

#endif
