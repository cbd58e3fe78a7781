#include "bench/load.hpp"

#include "echo_service.hpp"
#include "http/server.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <set>

using namespace orderproc;
using namespace orderproc::server;

BOOST_AUTO_TEST_CASE(ids_of_a_load_never_repeat_and_can_be_made_again) {
    std::set<std::string> seen;
    for (std::uint64_t n = 0; n < 10'000; ++n) {
        const auto id = load_order_id(7, n);
        BOOST_TEST_REQUIRE(seen.insert(id).second);
        BOOST_TEST_REQUIRE(id == load_order_id(7, n));
    }
    BOOST_TEST(!seen.contains(load_order_id(8, 0)));
}

BOOST_AUTO_TEST_CASE(percentiles_are_exact) {
    load_result it;
    BOOST_TEST(it.percentile(0.5) == 0u);
    for (std::uint32_t n = 1; n <= 1000; ++n) it.latencies_us.push_back(n);
    it.elapsed = std::chrono::seconds(2);
    BOOST_TEST(it.percentile(0) == 1u);
    BOOST_TEST(it.percentile(0.5) == 501u);
    BOOST_TEST(it.percentile(0.99) == 991u);
    BOOST_TEST(it.percentile(1) == 1000u);
    BOOST_TEST(it.per_second() == 500.0);
}

BOOST_AUTO_TEST_CASE(only_this_machine_is_put_under_load) {
    load_options options;
    options.host = "192.168.0.1";
    const auto refused = run_load(options);
    BOOST_TEST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(nobody_listening_is_an_error_not_a_result_of_zero) {
    load_options options;
    options.port = 1;
    const auto refused = run_load(options);
    BOOST_TEST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == errc::unavailable));
}

// With a rate requests fall due by the clock: however slow the server, all are asked for, and
// those that were turned away are told apart.
BOOST_AUTO_TEST_CASE(an_open_loop_asks_for_all_that_is_due) {
    testing::echo_service service;
    http::server_options at;
    std::atomic<unsigned> asked{0};
    at.admits.overloaded = [&](const http::request&) { return asked++ % 4 == 0; };
    const auto server = http::server::open(at, service).value();
    load_options options;
    options.port = server->port();
    options.connections = 3;
    options.rate = 1e6;  // more than anybody answers
    options.requests = 400;
    options.duration = std::chrono::minutes(1);
    const auto got = run_load(options);
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->succeeded == 300U);
    BOOST_TEST(got->refused == 100U);
    BOOST_TEST(got->broken == 0U);
    BOOST_TEST(got->accepted_us.size() == 300U);
    BOOST_TEST(got->latencies_us.size() == 400U);
    // The last was due almost at once: its latency is nearly all the time there was.
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::microseconds>(got->elapsed).count();
    BOOST_TEST(got->latencies_us.back() + 1000 >= elapsed / 2);
}
