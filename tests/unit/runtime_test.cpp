#include <orderproc/runtime.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <thread>
#include <vector>

using namespace orderproc;

BOOST_AUTO_TEST_CASE(clocks_advance) {
    runtime with = system_runtime();
    const auto wall = std::chrono::system_clock::now();
    BOOST_TEST((with.time.now() >= std::chrono::floor<std::chrono::milliseconds>(wall)));
    // Spins until a millisecond has gone by; would run into the time-out of the test otherwise.
    const auto started = with.time.monotonic();
    auto later = started;
    while (later == started) later = with.time.monotonic();
    BOOST_TEST((later > started));
    const auto before = with.time.now();
    while (with.time.now() == before) {
    }
}

BOOST_AUTO_TEST_CASE(every_thread_draws_numbers_of_its_own) {
    constexpr std::size_t threads = 4;
    constexpr std::size_t draws = 1000;
    std::vector<std::vector<std::uint64_t>> drawn(threads);
    {
        std::vector<std::jthread> running;
        for (auto& mine : drawn) {
            running.emplace_back([&mine] {
                runtime with = system_runtime();
                for (std::size_t i = 0; i < draws; ++i) mine.push_back(with.random.next());
            });
        }
    }
    std::set<std::uint64_t> all;
    for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
    BOOST_TEST(all.size() == threads * draws);
}

BOOST_AUTO_TEST_CASE(numbers_use_all_their_bits) {
    runtime with = system_runtime();
    std::uint64_t ones = 0;
    std::uint64_t zeros = 0;
    for (int i = 0; i < 200; ++i) {  // a fair bit stays the same with probability 2^-199
        const std::uint64_t drawn = with.random.next();
        ones |= drawn;
        zeros |= ~drawn;
    }
    BOOST_TEST(ones == ~std::uint64_t{0});
    BOOST_TEST(zeros == ~std::uint64_t{0});
}

BOOST_AUTO_TEST_CASE(the_observer_is_the_callers) {
    observer mine;
    BOOST_TEST(&system_runtime(mine).observer == &mine);
    // Without one there is one that ignores everything.
    const runtime with = system_runtime();
    with.observer.batch_written({});
    with.observer.error("here", failure{errc::unavailable});
}
