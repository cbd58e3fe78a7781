#include "processors/simulate.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <mutex>

using namespace orderproc;
using namespace orderproc::server;

namespace {

// Waits for so many orders to reach COMPLETED.
class completions final : public observer {
public:
    void transition_committed(const order& after, std::string_view) noexcept override {
        if (after.status != order_status("COMPLETED")) return;
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
    submit.value.user_id = 1;
    submit.value.item_ids = {1};
    command out;
    out.what = std::move(submit);
    return out;
}

void complete_a_thousand(std::chrono::milliseconds takes) {
    const auto orders = make_memory_storage();
    completions done;
    engine writes(*orders, status_machine::standard(), system_runtime(done));
    const auto work = make_simulation(takes, "complete");
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
    const auto work = make_simulation(std::chrono::hours(1), "complete");
    worker works(writes, *work);
    BOOST_TEST_REQUIRE(works.start().has_value());
    const auto made = writes.execute(make_order());
    BOOST_TEST_REQUIRE(!made.ec);
    works.stop(std::chrono::milliseconds(0));  // releases it, whether it was claimed or not yet
    auto connection = orders->connect(connection_role::reader);
    const std::string id(made.after->id->view());
    const auto found = (*connection)->load({.ids = {&id, 1}, .user_id = {}});
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST((found->orders[0]->status == order_status("PENDING")));
    BOOST_TEST(found->orders[0]->attempts == 0u);
}
