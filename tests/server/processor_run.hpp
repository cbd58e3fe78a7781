#ifndef ORDERPROC_TESTS_SERVER_PROCESSOR_RUN_HPP
#define ORDERPROC_TESTS_SERVER_PROCESSOR_RUN_HPP

// One order after the other through a processor, by a real worker.

#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace orderproc::server::testing {

struct attempt {
    attempt_outcome outcome = attempt_outcome::released;
    std::string reason;
    order after;
};

class processor_run : private observer {
public:
    orderproc::testing::seeded_random random;
    worker_options options;

    // The end of the first attempt.
    attempt one(processor& work, std::string metadata = "{}", std::string traceparent = {}) {
        const auto orders = make_memory_storage();
        runtime with = system_runtime(*this);
        engine writes(*orders, status_machine::standard(), with);
        worker works(writes, work, options);
        BOOST_REQUIRE(works.start().has_value());
        orderproc::testing::order_builder it;
        it.id("ORD-1").metadata(metadata);
        BOOST_REQUIRE(!writes.execute(it.submit({.traceparent = traceparent})).ec);
        std::unique_lock lock(mutex_);
        if (meanwhile) meanwhile();
        changed_.wait(lock, [this] { return ended_.has_value(); });
        attempt out = std::move(*ended_);
        ended_.reset();
        lock.unlock();
        works.stop(std::chrono::milliseconds(0));
        const auto reader = orders->connect_reader().value();
        const std::string id = "ORD-1";
        out.after = reader->load({.ids = {&id, 1}}).value().orders.at(0).value();
        const std::lock_guard again(mutex_);
        ended_.reset();
        return out;
    }
    std::function<void()> meanwhile;  // called once the order is there

private:
    void attempt_finished(const attempt_report& it) noexcept override {
        const std::lock_guard lock(mutex_);
        if (ended_) return;
        ended_.emplace();
        ended_->outcome = it.outcome;
        ended_->reason = it.reason;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<attempt> ended_;
};

}  // namespace orderproc::server::testing

#endif
