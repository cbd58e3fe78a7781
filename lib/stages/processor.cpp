#include "core/caught.hpp"
#include "stages/job_state.hpp"

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

    pool(function work, std::size_t threads) : work_(std::move(work)), capacity_(2 * threads) {
        threads_.reserve(threads);
        try {
            while (threads_.size() < threads) threads_.emplace_back([this] { run(); });
        } catch (...) {
            stop();
            throw;
        }
    }
    ~pool() override { stop(); }

    std::size_t capacity() const noexcept override { return capacity_; }
    void start(job work) override;

private:
    void run() noexcept;
    void stop() noexcept;
    std::optional<job> take();

    const function work_;
    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<job> waiting_;
    std::size_t prune_at_ = 64;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

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

std::optional<job> pool::take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return std::nullopt;
    std::optional<job> out(std::move(waiting_.front()));
    waiting_.pop_front();
    return out;
}

// If there is no memory for the reason, it is left out.
verdict retry_after(const char* thrown) noexcept {
    retry_later out;
    out.reason = detail::caught(errc::unavailable, thrown).detail;
    return out;
}

void pool::run() noexcept {
    while (std::optional<job> it = take()) {
        if (it->stop().stop_requested()) continue;  // somebody else's by now
        verdict said;
        try {
            said = work_(it->value(), it->stop());
        } catch (const std::exception& thrown) {
            said = retry_after(thrown.what());
        } catch (...) {
            said = retry_after("the processor threw what is no std::exception");
        }
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
