#include "core/text.hpp"
#include "stages/common/owner_name.hpp"
#include "stages/common/retry_delay.hpp"
#include "stages/worker/worker_impl.hpp"

#include <orderproc/worker.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t worker_id_size_max = 64;
constexpr milliseconds lease_min{100};
constexpr milliseconds record_every_min{1000};

result<void> check(const worker_options& it) {
    const auto positive = [](milliseconds time) {
        return time > milliseconds(0) && time <= detail::delay_max;
    };
    const char* wrong = nullptr;
    if (it.worker_id.size() > worker_id_size_max) wrong = "worker_id: at most 64 characters";
    if (!detail::is_text(it.worker_id, detail::text_kind::one_line)) {
        wrong = "worker_id: UTF-8 without control characters";
    }
    if (it.in_flight_max < 1) wrong = "in_flight_max: at least 1";
    if (it.lease < lease_min || it.lease > detail::delay_max) wrong = "lease: 100 ms to a year";
    if (!positive(it.timeout)) wrong = "timeout: 1 ms to a year";
    if (!positive(it.poll_interval)) wrong = "poll_interval: 1 ms to a year";
    if (it.retry.attempts_max < 1) wrong = "retry.attempts_max: at least 1";
    if (it.retry.base < milliseconds(0)) wrong = "retry.base: not negative";
    if (it.retry.cap < it.retry.base || it.retry.cap > detail::delay_max) {
        wrong = "retry.cap: from retry.base to a year";
    }
    if (!(it.retry.jitter >= 0 && it.retry.jitter <= 1)) wrong = "retry.jitter: 0 to 1";
    if (it.threads > 1) wrong = "threads: 0 or 1";
    const bool told = it.record_every != milliseconds(0);
    if (told &&
        (it.record_every < record_every_min || it.record_every >= worker_record::silent_after)) {
        wrong = "record_every: 0, or 1 s to less than 30 s";
    }
    if (it.program.size() > worker_id_size_max ||
        !detail::is_text(it.program, detail::text_kind::one_line)) {
        wrong = "program: at most 64 bytes of UTF-8 without control characters";
    }
    if (wrong) return failure{errc::invalid_argument, wrong};
    return {};
}

result<void> check_stages(const worker_options& it, const status_machine& machine) {
    for (const order_status active : it.stages) {
        if (machine.stage_active_in(active)) continue;
        return failure{errc::invalid_argument,
                       "stages: the machine has no stage whose active status is " +
                           std::string(active.view())};
    }
    return {};
}

bool works_on(const worker_options& it, const work_stage& stage) {
    const auto& only = it.stages;
    return only.empty() || std::find(only.begin(), only.end(), stage.active) != only.end();
}

}  // namespace

worker::impl::impl(engine& orders, processor& work, worker_options options)
    : engine_(orders),
      work_(work),
      options_(std::move(options)),
      with_(orders.runtime()),
      mailbox_(std::make_shared<detail::worker_mailbox>(
          options_.threads == 0 ? std::move(options_.on_ready) : nullptr)),
      presence_(orders) {}

worker::impl::~impl() {
    if (options_.threads == 0) {
        release_all();
    } else {
        stop(milliseconds(0));
    }
    if (listening_) engine_.remove_listener(*this);
    mailbox_->close();
}

// What a host's last run_once() would do; nobody waits for the answers.
void worker::impl::release_all() noexcept {
    if (!listening_) return;
    stop_at_ = with_.time.monotonic();
    cycle();
}

worker_record worker::impl::describe_itself() const {
    worker_record out;
    out.name = options_.worker_id;
    out.host = detail::host_name();
    out.process = detail::process_id();
    out.program = options_.program;
    for (const auto& it : claims_) out.stages.push_back(it->stage.active);
    return out;
}

result<void> worker::impl::start() {
    const auto prepare = [this]() -> result<void> {
        if (auto ok = check(options_); !ok) return ok;
        if (auto ok = check_stages(options_, engine_.machine()); !ok) return ok;
        if (options_.worker_id.empty()) options_.worker_id = detail::make_owner_name(with_.random);
        claims_.clear();
        for (const work_stage& stage : engine_.machine().stages()) {
            if (!works_on(options_, stage)) continue;
            claims_.push_back(std::make_shared<detail::stage_claim>(mailbox_, stage));
        }
        presence_.start(describe_itself(), options_.record_every);
        if (!std::exchange(listening_, true) && options_.wake_on_commit) {
            engine_.add_listener(*this);
        }
        return {};
    };
    const auto started = life_.start(prepare, options_.threads > 0, [this] { run(); });
    if (!started) return started.error();
    if (*started) mailbox_->notifier.notify();
    return {};
}

void worker::impl::stop(milliseconds drain) {
    const auto wait = std::clamp(drain, milliseconds(0), detail::delay_max);
    mailbox_->stop_at(with_.time.monotonic() + wait);
    life_.join();  // not from the processor, say: that may be called on the thread
}

void worker::impl::run() noexcept {
    while (true) {
        const cycle_report done = cycle();
        if (stop_at_ && done.in_flight == 0) break;
        const auto now = with_.time.monotonic();
        mailbox_->notifier.wait_for(std::min(done.next_due, now + options_.poll_interval) - now);
    }
}

worker::worker(engine& orders, processor& work, worker_options options)
    : impl_(std::make_unique<impl>(orders, work, std::move(options))) {}

worker::~worker() = default;

cycle_report worker::run_once() {
    return impl_->cycle();
}

clock::instant worker::next_due() const noexcept {
    return impl_->due();
}

result<void> worker::start() {
    return impl_->start();
}

void worker::hint(const work_stage& stage, std::vector<std::string> ids,
                  std::function<void(std::size_t)> done) {
    auto made = std::make_shared<detail::work_hint>();
    made->stage = &stage;
    made->ids = std::move(ids);
    made->done = std::move(done);
    impl_->hint(std::move(made));
}

void worker::stop(std::chrono::milliseconds drain) {
    impl_->stop(drain);
}

}  // namespace v1
}  // namespace orderproc
