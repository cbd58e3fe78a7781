#include "core/caught.hpp"
#include "stages/worker/job_state.hpp"

#include <orderproc/processor.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

job::job(std::shared_ptr<state> shared) noexcept : state_(std::move(shared)) {}

job::job(job&&) noexcept = default;

job& job::operator=(job&& other) noexcept {
    job(std::move(other)).state_.swap(state_);  // what was here before is destroyed unfinished
    return *this;
}

job::~job() {
    if (!state_) return;
    state_->abandoned = true;
    const auto sink = state_->sink;
    sink->finished(std::move(state_));
}

const order& job::value() const noexcept {
    return state_->value;
}

std::string_view job::stage() const noexcept {
    return state_->stage;
}

std::uint32_t job::attempt() const noexcept {
    return state_->value.attempts;
}

attempt_reference job::reference() const {
    const auto stage = order_status::parse(state_->stage);
    return {std::string(state_->value.id.view()), state_->lease, stage ? *stage : order_status(),
            state_->value.attempts};
}

std::string_view job::idempotency_key() const noexcept {
    return state_->key;
}

std::string_view job::traceparent() const noexcept {
    return state_->traceparent;
}

std::stop_token job::stop() const noexcept {
    return state_->stop.get_token();
}

void job::finish(verdict outcome) && {
    state_->said = std::move(outcome);
    const auto sink = state_->sink;  // may be all that is left of the worker
    sink->finished(std::move(state_));
}

namespace {

class pool final : public processor {
public:
    using function = std::function<verdict(const order&, std::stop_token)>;

    pool(function work, std::size_t threads) : work_(std::move(work)), running_(threads) {
        threads_.reserve(threads);
        try {
            for (std::stop_token& it : running_) threads_.emplace_back([this, &it] { run(it); });
        } catch (...) {
            stop();
            throw;
        }
    }
    ~pool() override { stop(); }

    std::size_t capacity() const noexcept override;
    void start(job work) override;

private:
    void run(std::stop_token& running) noexcept;
    void stop() noexcept;
    std::optional<job> take(std::stop_token& running);
    void vacate(std::stop_token& running) noexcept;

    const function work_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<job> waiting_;
    std::size_t prune_at_ = 64;
    bool stopping_ = false;
    std::vector<std::stop_token> running_;  // the job of each thread; without a state: none
    std::vector<std::thread> threads_;
};

// A thread whose job was stopped is busy until the function returns: a job started before then
// would wait while its time runs.
std::size_t pool::capacity() const noexcept {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(running_.begin(), running_.end(),
                      [](const std::stop_token& it) { return !it.stop_requested(); }));
}

// A worker hands out no more than in_flight_max, but forgets those it has stopped: without them
// the queue never holds more than twice as many.
void pool::start(job work) {
    std::vector<job> stopped;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= prune_at_) {
        std::deque<job> live;
        for (job& it : waiting_) {
            if (it.stop().stop_requested()) {
                stopped.push_back(std::move(it));
            } else {
                live.push_back(std::move(it));
            }
        }
        waiting_ = std::move(live);
        prune_at_ = std::max<std::size_t>(64, 2 * waiting_.size());
    }
    waiting_.push_back(std::move(work));
    changed_.notify_one();
}

std::optional<job> pool::take(std::stop_token& running) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return std::nullopt;
    std::optional<job> out(std::move(waiting_.front()));
    waiting_.pop_front();
    running = out->stop();
    return out;
}

// If there is no memory for the reason, it is left out.
verdict retry_after(const char* thrown) noexcept {
    retry_later out;
    out.reason = detail::caught(errc::unavailable, thrown).detail;
    return out;
}

// To be called before the job ends: the worker then asks for the capacity.
void pool::vacate(std::stop_token& running) noexcept {
    const std::lock_guard lock(mutex_);
    running = {};
}

void pool::run(std::stop_token& running) noexcept {
    while (std::optional<job> it = take(running)) {
        if (it->stop().stop_requested()) {  // somebody else's by now
            vacate(running);
            continue;
        }
        verdict said;
        try {
            said = work_(it->value(), it->stop());
        } catch (const std::exception& thrown) {
            said = retry_after(thrown.what());
        } catch (...) {
            said = retry_after("the processor threw what is no std::exception");
        }
        vacate(running);
        std::move(*it).finish(std::move(said));
    }
}

void pool::stop() noexcept {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& it : threads_) it.join();
}

}  // namespace

std::unique_ptr<processor> make_processor(
    std::function<verdict(const order&, std::stop_token)> work, std::size_t threads) {
    return std::make_unique<pool>(std::move(work), std::max<std::size_t>(threads, 1));
}

}  // namespace v1
}  // namespace orderproc
