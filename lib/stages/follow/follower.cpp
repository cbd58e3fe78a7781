#include "stages/common/retry_delay.hpp"
#include "stages/follow/follower_impl.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t follower_page_max = 1000;
// How long a thread waits for the last move of the cursor after the end of its drain.
constexpr std::chrono::seconds follower_stop_timeout(5);

}  // namespace

journal_follower::impl::impl(engine& orders, reader& journal, follower_options options)
    : engine_(orders),
      options_(std::move(options)),
      with_(orders.runtime()),
      mailbox_(std::make_shared<detail::feed_mailbox>(
          options_.threads == 0 ? std::move(options_.on_ready) : nullptr)),
      lease_(orders, mailbox_,
             {options_.cursor, options_.owner, options_.lease, options_.move_every}),
      pages_(journal, with_, "follower", options_.poll_interval),
      gauge_(journal, with_, lease_.terms().name),
      share_(options_.page) {}

journal_follower::impl::~impl() {
    if (options_.threads > 0) stop(milliseconds(0));
    if (listening_) engine_.remove_listener(*this);
    mailbox_->notifier.close();
}

result<void> journal_follower::impl::check() const {
    const char* wrong = lease_.refusal();
    if (!options_.handler) wrong = "handler: required";
    if (options_.poll_interval <= milliseconds(0) || options_.poll_interval > detail::delay_max) {
        wrong = "poll_interval: 1 ms to a year";
    }
    if (options_.page < 1 || options_.page > follower_page_max) wrong = "page: 1 to 1000";
    if (options_.tries < 1) wrong = "tries: at least 1";
    if (options_.give_up != unpublishable::hold && options_.give_up != unpublishable::skip) {
        wrong = "give_up: hold or skip";
    }
    if (options_.threads > 1) wrong = "threads: 0 or 1";
    if (wrong) return failure{errc::invalid_argument, wrong};
    return {};
}

result<void> journal_follower::impl::start() {
    const auto prepare = [this]() -> result<void> {
        if (auto ok = check(); !ok) return ok;
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

void journal_follower::impl::stop(milliseconds drain) {
    const auto wait = std::clamp(drain, milliseconds(0), detail::delay_max);
    mailbox_->stop_at(with_.time.monotonic() + wait);
    life_.join();
}

void journal_follower::impl::run() noexcept {
    while (true) {
        const follower_report done = cycle();
        if (done.stopped) break;
        const auto now = with_.time.monotonic();
        if (stop_at_ && now >= *stop_at_ + follower_stop_timeout) break;
        if (done.next_due > now) mailbox_->notifier.wait_for(done.next_due - now);
    }
}

journal_follower::journal_follower(engine& orders, reader& journal, follower_options options)
    : impl_(std::make_unique<impl>(orders, journal, std::move(options))) {}

journal_follower::~journal_follower() = default;

follower_report journal_follower::run_once() {
    return impl_->cycle();
}

clock::instant journal_follower::next_due() const noexcept {
    return impl_->due();
}

result<void> journal_follower::start() {
    return impl_->start();
}

void journal_follower::try_again() noexcept {
    impl_->try_again();
}

void journal_follower::stop(std::chrono::milliseconds drain) {
    impl_->stop(drain);
}

}  // namespace v1
}  // namespace orderproc
