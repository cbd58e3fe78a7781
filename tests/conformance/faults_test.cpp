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
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;
using testing::fault_storage;

namespace {

constexpr std::size_t clients_in_a_run = 24;

testing::fault_options stormy(std::uint64_t seed) {
    testing::fault_options out;
    out.seed = seed;
    out.connect = {.unavailable = 0.2};
    out.write = {0.05, 0.05, 0.1, 0.1};
    out.was_applied = {.unavailable = 0.2, .connection_lost = 0.1};
    return out;
}

// One user each. Of three the first names the order and sends a key, the second only the key, the
// third neither: only a truthful "nothing was written" lets it try again.
bool has_key(std::size_t client) {
    return client % 3 != 2;
}
std::int64_t user_of(std::size_t client) {
    return static_cast<std::int64_t>(1000 + client);
}
command order_of(std::size_t client) {
    const std::string number = std::to_string(client);
    testing::order_builder it;
    it.user(user_of(client)).items({7, 9});
    if (client % 3 == 0) it.id("O-" + number);
    return has_key(client) ? it.submit({.key = "key " + number}) : it.submit();
}

// What a client came to know.
struct answer {
    std::optional<std::string> acknowledged;  // the id
    bool unknown = false;                     // and has no key to ask again with
    std::string refusal;

    bool settled() const { return acknowledged || unknown || !refusal.empty(); }
    void take(std::size_t client, const change_outcome& outcome) {
        if (!outcome.ec) {
            acknowledged = std::string(outcome.after->id.view());
        } else if (outcome.ec == errc::outcome_unknown) {
            unknown = !has_key(client);
        } else if (outcome.ec != errc::unavailable) {
            refusal = outcome.ec.message();
        }
    }
};

// Asks until it knows.
class client final : public completion {
public:
    explicit client(std::size_t number) : number_(number) {}

    void ask(engine& of) {
        if (under_way_ || got.settled()) return;
        under_way_ = of.submit(order_of(number_), *this).has_value();
    }
    void complete(change_outcome& outcome) noexcept override {
        under_way_ = false;
        got.take(number_, outcome);
    }
    answer got;

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

bool all_completed(repository_reader& from) {
    const statistics found = from.count().value();
    std::uint64_t orders = 0;
    for (const status_count& it : found.orders) orders += it.orders;
    return orders == found.completed;
}

// What the whole library is for.
void expect_once_each(repository_reader& from, const std::vector<answer>& answers) {
    const auto report = verify(from, status_machine::standard()).value();
    BOOST_TEST(!report.difference.has_value(), report.difference.value_or(""));
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const answer& it = answers[i];
        BOOST_TEST(it.refusal == "");
        list_params own;
        own.scope.user = std::to_string(user_of(i));
        const auto orders = from.list(own).value().orders;
        const std::size_t least = it.unknown ? 0 : 1;
        BOOST_TEST((orders.size() == 1 || orders.size() == least),
                   "client " << i << " has " << orders.size() << " orders");
        for (const order& found : orders) {
            const std::string id(found.id.view());
            BOOST_TEST((it.unknown || it.acknowledged == id));
            int creates = 0, completes = 0;
            for (const auto& entry : from.history({id, {}, 1000}).value()) {
                creates += entry.event == "create" ? 1 : 0;
                completes += entry.event == "complete" ? 1 : 0;
            }
            BOOST_TEST(creates == 1, id << " was created " << creates << " times");
            BOOST_TEST(completes == 1, id << " was completed " << completes << " times");
        }
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
    for (std::size_t i = 0; i < clients_in_a_run; ++i) clients.emplace_back(i);
    const auto settled = [](const client& it) { return it.got.settled(); };
    const auto reading = inner.connect_reader().value();
    engine front(orders, status_machine::standard(), {time, random, nobody}, options);
    worker_options by_hand = patient();
    by_hand.threads = 0;
    worker works(front, work, by_hand);
    works.start().value();
    bool done = false;
    for (int step = 0; step < 20'000 && !done; ++step) {
        for (client& it : clients) it.ask(front);
        (void)front.run_once();  // a failure is said to those whose write it was
        works.run_once();
        work.look_again();
        time.advance(100ms);
        done = std::all_of(clients.begin(), clients.end(), settled) && all_completed(*reading);
    }
    BOOST_TEST(done, "after 20'000 steps not all is answered and completed");
    std::vector<answer> answers;
    for (const client& it : clients) answers.push_back(it.got);
    expect_once_each(*reading, answers);
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
    fast.poll_interval = 20ms;
    worker works(front, *work, fast);
    works.start().value();
    std::vector<answer> answers(clients_in_a_run);
    const auto ask = [&](std::size_t from) {
        for (std::size_t i = from; i < clients_in_a_run; i += 2) {
            while (!answers[i].settled()) answers[i].take(i, front.execute(order_of(i)));
        }
    };
    { const std::jthread first(ask, 0), second(ask, 1); }
    const auto reading = inner.connect_reader().value();
    while (!all_completed(*reading)) std::this_thread::yield();
    works.stop(10s);
    expect_once_each(*reading, answers);
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
