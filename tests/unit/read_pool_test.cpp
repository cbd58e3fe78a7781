#include "scripted_storage.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/read_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;

namespace {

read_pool_options by_hand() {
    read_pool_options out;
    out.threads = 0;
    return out;
}

struct load_of final : load_completion {
    void complete(result<loaded_order>& outcome) noexcept override {
        const std::lock_guard lock(mutex);
        got = std::move(outcome);
        changed.notify_all();
    }
    result<loaded_order>& wait() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return got.has_value(); });
        return *got;
    }
    bool done() {
        const std::lock_guard lock(mutex);
        return got.has_value();
    }
    std::string id() { return std::string(wait().value().found.value().id.view()); }

    std::mutex mutex;
    std::condition_variable changed;
    std::optional<result<loaded_order>> got;
};

struct read_of final : read_completion {
    result<void> read(repository_reader& from) override {
        if (throws) throw std::runtime_error("as told");
        const auto page = from.list({});
        if (!page) return page.error();
        found = page->orders.size();
        return {};
    }
    void complete(result<void>& outcome) noexcept override {
        const std::lock_guard lock(mutex);
        got = std::move(outcome);
        changed.notify_all();
    }
    result<void>& wait() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return got.has_value(); });
        return *got;
    }

    bool throws = false;
    std::size_t found = 0;
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<result<void>> got;
};

// A storage whose next read waits inside until it is let go.
struct fixture {
    fixture() {
        engine_options options;
        options.threads = 0;
        engine writes(*inner, status_machine::standard(), system_runtime(), options);
        for (const char* id : {"A", "B", "C"}) BOOST_REQUIRE(!writes.execute(create(id)).ec);
        store.on_call([this](const testing::fault_site& at) {
            if (at.call != fault_call::read) return;
            std::unique_lock lock(mutex);
            if (!hold_next) return;
            hold_next = false;
            held = true;
            changed.notify_all();
            changed.wait(lock, [this] { return !held; });
        });
    }
    void wait_for_held() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return held; });
    }
    void let_go() {
        const std::lock_guard lock(mutex);
        held = false;
        changed.notify_all();
    }
    std::size_t reads() const { return store.calls(fault_call::read); }

    std::unique_ptr<storage> inner = make_memory_storage();
    testing::fault_storage store{*inner};
    std::mutex mutex;
    std::condition_variable changed;
    bool hold_next = false;
    bool held = false;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pool_of_reads, fixture)

BOOST_AUTO_TEST_CASE(reads_by_id_that_wait_are_one_load) {
    read_pool pool(store, by_hand());
    std::array<load_of, 6> asked;
    const char* const ids[] = {"B", "A", "B", "nobody", "C", "B"};
    for (std::size_t i = 0; i < asked.size(); ++i) pool.submit(ids[i], asked[i]).value();
    BOOST_TEST(!asked[0].done());
    BOOST_TEST(pool.run_once() == asked.size());
    BOOST_TEST(reads() == 1U);
    for (const std::size_t i : {0U, 1U, 2U, 4U, 5U}) {
        BOOST_TEST(asked[i].id() == ids[i]);
        BOOST_TEST(asked[i].wait()->newest.offset == 3U);
    }
    BOOST_TEST(!asked[3].wait()->found.has_value());
    BOOST_TEST(pool.run_once() == 0U);
}

BOOST_AUTO_TEST_CASE(a_load_reads_no_more_than_merge_max) {
    read_pool_options options = by_hand();
    options.merge_max = 2;
    read_pool pool(store, options);
    std::array<load_of, 3> asked;
    for (load_of& it : asked) pool.submit("A", it).value();
    BOOST_TEST(pool.run_once() == 2U);
    BOOST_TEST(asked[1].done());
    BOOST_TEST(!asked[2].done());
    BOOST_TEST(pool.run_once() == 1U);
    BOOST_TEST(asked[2].id() == "A");
}

BOOST_AUTO_TEST_CASE(one_corrupt_order_does_not_fail_the_others) {
    read_pool pool(store, by_hand());
    std::array<load_of, 3> asked;
    const char* const ids[] = {"A", "B", "C"};
    for (std::size_t i = 0; i < asked.size(); ++i) pool.submit(ids[i], asked[i]).value();
    store.next(fault_call::read, fault::unavailable, failure{errc::corrupt, "all of them"});
    store.next(fault_call::read, fault::none);
    store.next(fault_call::read, fault::unavailable, failure{errc::corrupt, "B"});
    pool.run_once();
    BOOST_TEST(asked[0].id() == "A");
    BOOST_TEST(asked[1].wait().error().code == errc::corrupt);
    BOOST_TEST(asked[1].wait().error().detail == "B");
    BOOST_TEST(asked[2].id() == "C");
}

BOOST_AUTO_TEST_CASE(a_storage_that_is_away_fails_all_of_them_at_once) {
    read_pool pool(store, by_hand());
    std::array<load_of, 2> asked;
    pool.submit("A", asked[0]).value();
    pool.submit("B", asked[1]).value();
    store.next(fault_call::read, fault::connection_lost);
    pool.run_once();
    BOOST_TEST(reads() == 1U);
    for (load_of& it : asked) BOOST_TEST(it.wait().error().code == errc::unavailable);
    load_of again;
    pool.submit("A", again).value();
    pool.run_once();
    BOOST_TEST(again.id() == "A");  // on a new connection
}

BOOST_AUTO_TEST_CASE(what_is_thrown_is_an_outcome) {
    read_pool pool(store, by_hand());
    load_of load;
    read_of read;
    read.throws = true;
    pool.submit("A", load).value();
    pool.submit(read).value();
    store.next(fault_call::read, fault::throws);
    pool.run_once();
    BOOST_TEST(load.wait().error().code == boost::system::errc::state_not_recoverable);
    BOOST_TEST(read.wait().error().code == boost::system::errc::state_not_recoverable);
    BOOST_TEST(read.wait().error().detail == "as told");
}

BOOST_AUTO_TEST_CASE(queues_have_a_bound) {
    std::array<load_of, 3> loads;  // they outlive the pool, which completes what waits at its end
    std::array<read_of, 3> reads;
    read_pool_options options = by_hand();
    options.queue_max = 2;
    read_pool pool(store, options);
    for (std::size_t i = 0; i < 2; ++i) {
        BOOST_TEST(pool.submit("A", loads[i]).has_value());
        BOOST_TEST(pool.submit(reads[i]).has_value());
    }
    BOOST_TEST(pool.submit("A", loads[2]).error().code == errc::overloaded);
    BOOST_TEST(pool.submit(reads[2]).error().code == errc::overloaded);
    pool.run_once();
    BOOST_TEST(pool.submit("A", loads[2]).has_value());
    BOOST_TEST(pool.submit(reads[2]).has_value());
}

BOOST_AUTO_TEST_CASE(what_waits_can_be_taken_back) {
    read_pool pool(store, by_hand());
    std::array<load_of, 3> loads;
    std::array<read_of, 3> others;
    for (load_of& it : loads) pool.submit("A", it).value();
    for (read_of& it : others) pool.submit(it).value();
    BOOST_TEST(pool.cancel(loads[1]));
    BOOST_TEST(!pool.cancel(loads[1]));
    BOOST_TEST(pool.cancel(others[0]));
    BOOST_TEST(pool.cancel(others[2]));
    BOOST_TEST(pool.run_once() == 3U);
    BOOST_TEST(pool.run_once() == 0U);
    BOOST_TEST(!pool.cancel(loads[0]));
    BOOST_TEST(loads[0].done());
    BOOST_TEST(!loads[1].done());
    BOOST_TEST(loads[2].done());
    BOOST_TEST(others[1].found == 3U);
    BOOST_TEST(!others[0].got.has_value());
    pool.submit("B", loads[1]).value();
    pool.run_once();
    BOOST_TEST(loads[1].id() == "B");
}

BOOST_AUTO_TEST_CASE(what_waits_at_the_end_is_told_so) {
    load_of load;
    read_of read;
    {
        read_pool pool(store, by_hand());
        pool.submit("A", load).value();
        pool.submit(read).value();
    }
    BOOST_TEST(load.wait().error().code == errc::stopped);
    BOOST_TEST(read.wait().error().code == errc::stopped);
}

BOOST_AUTO_TEST_CASE(may_be_submitted_again_from_within_its_completion) {
    read_pool pool(store, by_hand());
    struct : load_completion {
        void complete(result<loaded_order>& outcome) noexcept override {
            if (outcome && ++times < 3) again = to->submit("A", *this).has_value();
        }
        read_pool* to = nullptr;
        int times = 0;
        bool again = false;
    } it;
    it.to = &pool;
    pool.submit("A", it).value();
    while (pool.run_once() > 0) continue;
    BOOST_TEST(it.again);
    BOOST_TEST(it.times == 3);
}

BOOST_AUTO_TEST_CASE(a_slow_list_delays_neither_orders_nor_other_lists) {
    read_pool pool(store);
    hold_next = true;
    read_of slow;
    pool.submit(slow).value();
    wait_for_held();
    load_of order;
    read_of other;
    pool.submit("A", order).value();
    pool.submit(other).value();
    BOOST_TEST(order.id() == "A");
    BOOST_TEST(other.wait().has_value());
    let_go();
    BOOST_TEST(slow.wait().has_value());
}

BOOST_AUTO_TEST_CASE(what_comes_while_a_load_is_under_way_is_the_next_load) {
    std::array<load_of, 20> others;
    load_of slow;
    {
        read_pool pool(store);
        hold_next = true;
        pool.submit("A", slow).value();
        wait_for_held();
        for (load_of& it : others) pool.submit("B", it).value();
        let_go();
        for (load_of& it : others) BOOST_TEST(it.id() == "B");
    }
    BOOST_TEST(slow.id() == "A");
    BOOST_TEST(reads() == 2U);
}

BOOST_AUTO_TEST_CASE(without_a_thread_for_them_loads_are_made_by_who_submits) {
    read_pool_options options;
    options.load_thread = false;
    read_pool pool(store, options);
    BOOST_TEST(pool.loads_when_called());
    load_of first, second;
    hold_next = true;
    pool.submit("A", first).value();
    std::thread one([&] { pool.load_waiting(); });
    wait_for_held();
    pool.submit("B", second).value();
    pool.load_waiting();  // the other one is at it, and makes this one as well
    BOOST_TEST(!second.done());
    let_go();
    one.join();
    BOOST_TEST(first.done());
    BOOST_TEST(second.done());
    pool.load_waiting();  // nothing waits
    BOOST_TEST(reads() == 2U);
}

BOOST_AUTO_TEST_CASE(the_end_waits_for_what_is_under_way) {
    load_of slow, waiting;
    std::optional<read_pool> pool(std::in_place, store);
    hold_next = true;
    pool->submit("A", slow).value();
    wait_for_held();
    pool->submit("B", waiting).value();
    std::jthread ends([&] { pool.reset(); });
    let_go();
    ends.join();
    BOOST_TEST(slow.id() == "A");
    const auto& second = waiting.wait();
    BOOST_TEST((second.has_value() || second.error().code == errc::stopped));
}

BOOST_AUTO_TEST_CASE(many_threads_ask_and_take_back) {
    read_pool_options options;
    options.merge_max = 4;
    read_pool pool(store, options);
    std::atomic<int> failed = 0;  // Boost.Test may be asked by one thread only
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 300; ++i) {
                load_of one;
                read_of list;
                pool.submit(t % 2 ? "A" : "C", one).value();
                pool.submit(list).value();
                if (i % 3 != 0 || !pool.cancel(one)) failed += one.wait().has_value() ? 0 : 1;
                if (i % 5 != 0 || !pool.cancel(list)) failed += list.wait().has_value() ? 0 : 1;
            }
        });
    }
    threads.clear();
    BOOST_TEST(failed == 0);
}

BOOST_AUTO_TEST_SUITE_END()
