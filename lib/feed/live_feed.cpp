// When the feed looks, and the public face of it.

#include "feed/feed_core.hpp"
#include "feed/filter.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t page_limit = 65'536;

const live_feed_options& checked(const live_feed_options& options) {
    const auto expect = [](bool holds, const char* rule) {
        if (!holds) throw std::invalid_argument(std::string("live_feed_options::") + rule);
    };
    const auto is_page = [](std::size_t size) { return size >= 1 && size <= page_limit; };
    const std::chrono::milliseconds none{0};
    expect(options.threads <= 1, "threads: 0 or 1");
    expect(is_page(options.page_size), "page_size: 1 to 65,536");
    expect(is_page(options.step_size), "step_size: 1 to 65,536");
    expect(options.buffer_max >= 1, "buffer_max: at least 1");
    expect(options.rest >= none, "rest: not negative");
    expect(options.poll_interval > none, "poll_interval: more than 0");
    expect(options.retry > none, "retry: more than 0");
    return options;
}

}  // namespace

namespace detail {

feed_core::feed_core(engine& orders, reader& reads, live_feed_options options)
    : engine_(orders), reads_(reads), options_(std::move(options)), pages_(options_.shared_max) {
    engine_.add_listener(*this);
    if (options_.threads == 0) return;
    try {
        thread_ = std::jthread([this] { run(); });
    } catch (...) {
        engine_.remove_listener(*this);
        throw;
    }
}

feed_core::~feed_core() {
    engine_.remove_listener(*this);
    stop();
}

clock& feed_core::time() const noexcept {
    return engine_.runtime().time;
}

// On the thread that commits.
void feed_core::committed() noexcept {
    if (watching_.load(std::memory_order_relaxed)) poke();
}

void feed_core::poke() noexcept {
    if (pending_.exchange(true)) return;
    if (options_.threads == 0) {
        if (options_.on_ready) options_.on_ready();
        return;
    }
    { const std::lock_guard lock(sleep_mutex_); }
    awake_.notify_one();
}

void feed_core::stop() noexcept {
    {
        const std::lock_guard lock(sleep_mutex_);
        stopping_ = true;
    }
    awake_.notify_all();
}

void feed_core::run() {
    while (wait()) {
        try {
            while (run_once()) {
            }
        } catch (const std::exception& thrown) {
            failure why = errc::unavailable;
            try {
                why.detail = thrown.what();
            } catch (const std::exception&) {  // memory has run out: the code has to do
            }
            report(why);
        }
    }
}

bool feed_core::wait() {
    std::unique_lock lock(sleep_mutex_);
    const auto called = [this] { return stopping_ || pending_; };
    const auto stopping = [this] { return stopping_.load(); };
    if (failed_) {
        awake_.wait_for(lock, options_.retry, stopping);
    } else if (watching_) {
        awake_.wait_for(lock, options_.poll_interval, called);
        const auto rested_at = looked_ + options_.rest;
        if (!hurried_) awake_.wait_for(lock, rested_at - time().monotonic(), stopping);
    } else {
        awake_.wait(lock, called);
    }
    return !stopping_;
}

bool feed_core::run_once() {
    if (stopping_) return false;
    pending_ = false;
    failed_ = false;
    looked_ = time().monotonic();
    try {
        const bool more_live = read_live();
        const bool more_behind = step();
        more_ = (more_live || more_behind) && !failed_;
    } catch (...) {
        failed_ = true;
        throw;
    }
    return more_;
}

clock::instant feed_core::next_due() const noexcept {
    if (stopping_ || !watching_) return clock::instant::max();
    if (failed_) return looked_ + options_.retry;
    if (more_ || (pending_ && hurried_)) return looked_;
    return looked_ + (pending_ ? options_.rest : options_.poll_interval);
}

}  // namespace detail

class live_feed::impl {
public:
    detail::feed_core core;
};

live_feed::live_feed(engine& orders, reader& reads, live_feed_options options)
    : impl_(new impl{{orders, reads, checked(options)}}) {}

live_feed::~live_feed() = default;

result<std::unique_ptr<feed_subscription>> live_feed::subscribe(feed_request what,
                                                                feed_listener& who) {
    detail::remove_repeats(what.filter);
    if (what.until_settled && what.filter.orders.size() != 1) {
        return failure{errc::invalid_argument,
                       "feed_request::until_settled: the filter must have one order; it has " +
                           std::to_string(what.filter.orders.size())};
    }
    auto made = std::make_unique<detail::subscription>(impl_->core, std::move(what), who);
    impl_->core.add(*made);
    return std::unique_ptr<feed_subscription>(std::move(made));
}

std::size_t live_feed::subscriptions() const noexcept {
    return impl_->core.subscriptions();
}

bool live_feed::run_once() {
    return impl_->core.run_once();
}

clock::instant live_feed::next_due() const noexcept {
    return impl_->core.next_due();
}

void live_feed::stop() noexcept {
    impl_->core.stop();
}

}  // namespace v1
}  // namespace orderproc
