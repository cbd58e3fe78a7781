#include "processors/simulate.hpp"

#include "processor_run.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <map>
#include <mutex>

using namespace orderproc;
using namespace orderproc::server;
using orderproc::server::testing::processor_run;

namespace {

// Waits for so many orders to reach COMPLETED.
class completions final : public observer {
public:
    void transition_committed(const transition_report& it) noexcept override {
        if (it.after.status != order_status("COMPLETED")) return;
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return count_ >= count; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
};

command make_order() {
    submit_order submit;
    submit.value.user = "1";
    submit.value.item_ids = {1};
    submit.value.total_amount = {100, "USD"};
    command out;
    out.what = std::move(submit);
    return out;
}

void complete_a_thousand(std::chrono::milliseconds takes) {
    const auto orders = make_memory_storage();
    completions done;
    engine writes(*orders, status_machine::standard(), system_runtime(done));
    simulation_options options;
    options.takes = takes;
    const auto work = make_simulation(options, system_runtime().random);
    worker works(writes, *work);
    BOOST_TEST_REQUIRE(works.start().has_value());
    for (int i = 0; i < 1000; ++i) BOOST_TEST_REQUIRE(!writes.execute(make_order()).ec);
    done.wait_for(1000);
    works.stop(std::chrono::seconds(10));
}

}  // namespace

BOOST_AUTO_TEST_CASE(simulated_work_completes_orders_at_once) {
    complete_a_thousand(std::chrono::milliseconds(0));
}

BOOST_AUTO_TEST_CASE(simulated_work_completes_orders_after_its_time) {
    complete_a_thousand(std::chrono::milliseconds(20));
}

BOOST_AUTO_TEST_CASE(work_under_way_does_not_outlive_its_processor) {
    const auto orders = make_memory_storage();
    engine writes(*orders, status_machine::standard(), system_runtime());
    simulation_options options;
    options.takes = std::chrono::hours(1);
    const auto work = make_simulation(options, system_runtime().random);
    worker works(writes, *work);
    BOOST_TEST_REQUIRE(works.start().has_value());
    const auto made = writes.execute(make_order());
    BOOST_TEST_REQUIRE(!made.ec);
    works.stop(std::chrono::milliseconds(0));  // releases it, whether it was claimed or not yet
    auto connection = orders->connect_reader();
    const std::string id(made.after->id.view());
    const auto found = (*connection)->load({.ids = {&id, 1}});
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST((found->orders[0]->status == order_status("PENDING")));
    BOOST_TEST(found->orders[0]->attempts == 0u);
}

BOOST_AUTO_TEST_CASE(the_knobs_are_read_strictly) {
    const auto all = parse_simulation("2s,jitter=0.5,crash=BAD-,fail=0.1,retry=.2").value();
    BOOST_TEST(all.takes.count() == 2000);
    BOOST_TEST(all.jitter == 0.5);
    BOOST_TEST(all.fail == 0.1);
    BOOST_TEST(all.retry == 0.2);
    BOOST_TEST(all.crash == "BAD-");
    for (const char* bad :
         {"", "2", "2s,", "2s,fail", "2s,fail=", "2s,fail=2", "2s,fail=-1", "2s,speed=1",
          "2s,crash", "2s,crash=", "2s,fail=0.6,retry=0.6", "2s fail=0.1", "2s,fail=nan"}) {
        if (std::string_view(bad) == "2s,") continue;  // as lists often end
        BOOST_TEST(!parse_simulation(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(an_order_can_ask_for_its_outcome) {
    processor_run run;
    simulation_options options;
    options.takes = std::chrono::hours(1);
    const auto work = make_simulation(options, run.random);
    const auto outcome_of = [&](const char* metadata) { return run.one(*work, metadata).outcome; };
    BOOST_TEST((outcome_of(R"({"simulate":{"delay_ms":0,"outcome":"fail"}})") ==
                attempt_outcome::gave_up));
    BOOST_TEST((outcome_of(R"({"simulate":{"delay_ms":1,"outcome":"retry"}})") ==
                attempt_outcome::retried));
    BOOST_TEST((outcome_of(R"({"simulate":{"delay_ms":0}})") == attempt_outcome::advanced));
}

BOOST_AUTO_TEST_CASE(failures_come_as_often_as_they_should) {
    processor_run run;
    simulation_options options;
    options.fail = 0.25;
    options.retry = 0.25;
    const auto work = make_simulation(options, run.random);
    std::map<attempt_outcome, int> seen;
    for (int i = 0; i < 400; ++i) ++seen[run.one(*work).outcome];
    BOOST_TEST(seen[attempt_outcome::gave_up] > 60);
    BOOST_TEST(seen[attempt_outcome::gave_up] < 140);
    BOOST_TEST(seen[attempt_outcome::retried] > 60);
    BOOST_TEST(seen[attempt_outcome::advanced] > 140);
}
