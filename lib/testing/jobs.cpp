#include "stages/worker/job_state.hpp"

#include <orderproc/testing/jobs.hpp>

#include <stdexcept>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {

namespace {

class promising_sink final : public detail::verdict_sink {
public:
    void finished(std::shared_ptr<job::state> said) noexcept override {
        if (said->abandoned) {
            promised.set_value(retry_later{"the job was destroyed unfinished", {}});
        } else {
            promised.set_value(std::move(said->said));
        }
    }

    std::promise<verdict> promised;
};

}  // namespace

class test_job::impl {
public:
    std::shared_ptr<promising_sink> sink = std::make_shared<promising_sink>();
    std::shared_ptr<job::state> state = std::make_shared<job::state>();
    std::stop_source stop = state->stop;
};

test_job::test_job(std::unique_ptr<impl> it) noexcept : impl_(std::move(it)) {}
test_job::test_job(test_job&&) noexcept = default;
test_job& test_job::operator=(test_job&&) noexcept = default;
test_job::~test_job() = default;

job test_job::take() {
    if (!impl_->state) throw std::logic_error("test_job::take() was called before");
    return job(std::move(impl_->state));
}

void test_job::request_stop() noexcept {
    impl_->stop.request_stop();
}

std::future<verdict> test_job::outcome() {
    return impl_->sink->promised.get_future();
}

test_job make_job(order value, job_params with) {
    if (value.id.empty()) throw std::invalid_argument("make_job(): the order has no id");
    auto made = std::make_unique<test_job::impl>();
    job::state& it = *made->state;
    it.key = std::string(value.id.view()) + "/" + with.stage;
    it.value = std::move(value);
    it.value.attempts = with.attempt;
    it.stage = std::move(with.stage);
    it.traceparent = std::move(with.traceparent);
    it.sink = made->sink;
    return test_job(std::move(made));
}

}  // namespace testing
}  // namespace v1
}  // namespace orderproc
