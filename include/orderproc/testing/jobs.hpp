#ifndef ORDERPROC_TESTING_JOBS_HPP
#define ORDERPROC_TESTING_JOBS_HPP

// Jobs for the unit tests of a processor, without an engine or a worker.

#include <orderproc/processor.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace testing {

struct job_params {
    std::string stage = "PROCESSING";  // the active status
    std::uint32_t attempt = 1;
    std::string traceparent = {};
};

// A job as a worker would hand it out, and what became of it. Movable. What it refers to is shared
// with the job, so either may be destroyed first.
class ORDERPROC_EXPORT test_job {
public:
    test_job(test_job&&) noexcept;
    test_job& operator=(test_job&&) noexcept;
    ~test_job();

    // Give it to processor::start(). REQUIRES: called once.
    job take();
    // As a worker does when the attempt timed out or the lease was lost. Stop callbacks run on this
    // thread.
    void request_stop() noexcept;
    // What the processor said, from whichever thread; a job that is destroyed unfinished said
    // retry_later, as for a worker. REQUIRES: called once.
    std::future<verdict> outcome();

private:
    class impl;
    explicit test_job(std::unique_ptr<impl> it) noexcept;
    friend test_job make_job(order value, job_params with);

    std::unique_ptr<impl> impl_;
};

// The order needs an id.
ORDERPROC_EXPORT test_job make_job(order value, job_params with = {});

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
