#include "stages/broker/relay_impl.hpp"
#include "stages/common/retry_delay.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

// How long a commit that waits for a confirm may find the relay waiting for one.
constexpr milliseconds timeout{10};
// A connection wants to be served.
constexpr milliseconds nap_max{500};
// How long the last move of the cursor is waited for.
constexpr std::chrono::seconds stop_timeout(5);

result<void> check(const relay_options& it) {
    const auto positive = [](milliseconds time) {
        return time > milliseconds(0) && time <= detail::delay_max;
    };
    const char* wrong = nullptr;
    if (!it.format) wrong = "format: required";
    if (it.tries < 1) wrong = "tries: at least 1";
    if (it.refused_for < milliseconds(0) || it.refused_for > detail::delay_max) {
        wrong = "refused_for: 0 to a year";
    }
    if (it.give_up == unpublishable::park && it.poison_queue.empty()) {
        wrong = "poison_queue: required to park entries";
    }
    if (it.window < 1) wrong = "window: at least 1";
    if (!positive(it.poll_interval)) wrong = "poll_interval: 1 ms to a year";
    if (it.max_publish_lag < milliseconds(0) || it.max_publish_lag > detail::delay_max) {
        wrong = "max_publish_lag: 0 to a year";
    }
    if (it.threads > 1) wrong = "threads: 0 or 1";
    if (wrong) return failure{errc::invalid_argument, wrong};
    return {};
}

}  // namespace

relay::impl::impl(engine& orders, reader& journal, broker& to, relay_options options)
    : engine_(orders),
      broker_(to),
      options_(std::move(options)),
      with_(orders.runtime()),
      mailbox_(std::make_shared<detail::feed_mailbox>(
          options_.threads == 0 ? std::move(options_.on_ready) : nullptr)),
      lease_(orders, mailbox_,
             {options_.cursor, options_.owner, options_.lease, options_.move_every}),
      pages_(journal, with_, "relay", options_.poll_interval),
      gauge_(journal, with_, lease_.terms().name),
      link_(to, "relay", orders.runtime()) {}

relay::impl::~impl() {
    if (options_.threads > 0) stop(milliseconds(0));
    if (listening_) engine_.remove_listener(*this);
    mailbox_->notifier.close();
}

result<void> relay::impl::start() {
    const auto prepare = [this]() -> result<void> {
        if (const char* wrong = lease_.refusal()) return failure{errc::invalid_argument, wrong};
        if (auto ok = check(options_); !ok) return ok;
        lease_.name_owner();
        if (!listening_) engine_.add_listener(*this);
        listening_ = true;
        return {};
    };
    const auto started = life_.start(prepare, options_.threads > 0, [this] { run(); });
    if (!started) return started.error();
    if (*started) mailbox_->notifier.notify();
    return {};
}

void relay::impl::stop(milliseconds drain) {
    const auto wait = std::clamp(drain, milliseconds(0), detail::delay_max);
    mailbox_->stop_at(with_.time.monotonic() + wait);
    life_.join();
}

void relay::impl::run() noexcept {
    while (true) {
        const relay_report done = cycle(timeout);
        if (done.stopped) break;
        const auto now = with_.time.monotonic();
        if (stop_at_ && now >= *stop_at_ + stop_timeout) break;
        if (done.under_way > 0) continue;  // it has waited for the confirms already
        const milliseconds nap = std::min(nap_max, done.next_due - now);
        if (nap > milliseconds(0)) mailbox_->notifier.wait_for(nap);
    }
}

relay::relay(engine& orders, reader& journal, broker& to, relay_options options)
    : impl_(std::make_unique<impl>(orders, journal, to, std::move(options))) {}

relay::~relay() = default;

relay_report relay::run_once() {
    return impl_->cycle(std::chrono::milliseconds(0));
}

clock::instant relay::next_due() const noexcept {
    return impl_->due();
}

result<void> relay::start() {
    return impl_->start();
}

void relay::stop(std::chrono::milliseconds drain) {
    impl_->stop(drain);
}

}  // namespace v1
}  // namespace orderproc
