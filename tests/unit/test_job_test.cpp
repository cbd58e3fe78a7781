#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/jobs.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

using namespace orderproc;

BOOST_AUTO_TEST_SUITE(jobs_of_tests)

BOOST_AUTO_TEST_CASE(a_processor_sees_what_a_worker_would_give_it) {
    testing::job_params with;
    with.stage = "PACKING";
    with.attempt = 3;
    with.traceparent = "00-1-2-01";
    auto made = testing::make_job(testing::order_builder{}.id("A-1").build(), with);
    auto outcome = made.outcome();
    job it = made.take();
    BOOST_TEST(it.value().id.view() == "A-1");
    BOOST_TEST(it.stage() == "PACKING");
    BOOST_TEST(it.attempt() == 3U);
    BOOST_TEST(it.idempotency_key() == "A-1/PACKING");
    BOOST_TEST(it.traceparent() == "00-1-2-01");
    std::move(it).finish(give_up{"no stock"});
    BOOST_TEST(std::get<give_up>(outcome.get()).reason == "no stock");
}

BOOST_AUTO_TEST_CASE(a_function_on_a_pool_answers) {
    const auto pool = make_processor(
        [](const order& it, std::stop_token) -> verdict {
            return advance{std::string(it.id.view())};
        },
        1);
    auto made = testing::make_job(testing::order_builder{}.id("A-1").build());
    auto outcome = made.outcome();
    pool->start(made.take());
    BOOST_TEST(std::get<advance>(outcome.get()).event == "A-1");
}

BOOST_AUTO_TEST_CASE(a_job_that_is_dropped_is_to_be_retried) {
    auto made = testing::make_job(testing::order_builder{}.id("A-1").build());
    auto outcome = made.outcome();
    { const job dropped = made.take(); }
    BOOST_TEST(std::holds_alternative<retry_later>(outcome.get()));
}

BOOST_AUTO_TEST_CASE(stop_reaches_the_job) {
    auto made = testing::make_job(testing::order_builder{}.id("A-1").build());
    const job it = made.take();
    BOOST_TEST(!it.stop().stop_requested());
    made.request_stop();
    BOOST_TEST(it.stop().stop_requested());
}

BOOST_AUTO_TEST_CASE(wrong_use_is_told) {
    BOOST_CHECK_THROW(testing::make_job(testing::order_builder{}.build()), std::invalid_argument);
    auto made = testing::make_job(testing::order_builder{}.id("A-1").build());
    (void)made.take();
    BOOST_CHECK_THROW((void)made.take(), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
