#include "cli/housekeeping.hpp"

#include "auth/key_use.hpp"
#include "cli/purger.hpp"

#include <orderproc/worker_record.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <latch>
#include <utility>

namespace orderproc::server {

namespace {

// Of one record. That another process was quicker is no failure.
class change_written final : public record_completion {
public:
    explicit change_written(std::latch& all) : all_(all) {}
    void complete(record_outcome& outcome) noexcept override {
        ec = outcome.ec;
        all_.count_down();
    }
    error_code ec;

private:
    std::latch& all_;
};

result<void> write_all(engine& by, std::vector<change_record> changes) {
    std::latch all(static_cast<std::ptrdiff_t>(changes.size()));
    std::deque<change_written> done;  // which stay where they are
    for (std::size_t i = 0; i < changes.size(); ++i) done.emplace_back(all);
    result<void> out;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        result<void> sent = errc::unavailable;
        try {
            sent = by.submit(std::move(changes[i]), done[i]);
        } catch (const std::exception&) {  // those that were submitted are waited for all the same
        }
        if (sent) continue;
        all.count_down();
        out = std::move(sent);
    }
    all.wait();
    for (const change_written& it : done) {
        const bool quicker = it.ec == errc::already_exists || it.ec == errc::version_conflict ||
                             it.ec == errc::not_found;
        if (it.ec && !quicker) out = failure{it.ec};
    }
    return out;
}

// Workers that a minute's crashes leave behind.
constexpr std::size_t workers_max = 100;

}  // namespace

housekeeping::housekeeping(storage& of, engine& by, auth::key_table* keys, retention kept)
    : storage_(of), engine_(by), keys_(keys), kept_(kept) {
    if (keys_) thread_ = std::thread([this] { run(); });
}

housekeeping::~housekeeping() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void housekeeping::run() noexcept {
    do {
        if (kept_.age && purge_next_ <= engine_.runtime().time.monotonic()) {
            purge_next_ = engine_.runtime().time.monotonic() + purge_interval;
            report("retention", &housekeeping::purge_old);
        }
        const bool last = wait(interval);
        write();
        if (last) return;
    } while (true);
}

// True: it is to end.
bool housekeeping::wait(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return stopping_; });
}

void housekeeping::write() noexcept {
    report("auth.key_uses", &housekeeping::write_uses);
    report("workers", &housekeeping::forget_workers);
}

void housekeeping::report(std::string_view where, result<void> (housekeeping::*chore)()) noexcept {
    failure why;
    try {
        if (auto done = (this->*chore)(); !done) why = done.error();
    } catch (const std::exception&) {
        why.code = errc::unavailable;
    }
    if (why.code) engine_.runtime().observer.error(where, why);
}

result<void> housekeeping::purge_old() {
    purger by(storage_, engine_, "retention");
    const purge_wish what{engine_.runtime().time.now() - *kept_.age};
    const auto done = by.run(what, [this](const purge_tally&) { return !wait(purge_step_pause); });
    if (!done) return done.error();
    return {};
}

result<void> housekeeping::write_uses() {
    const auto uses = keys_->take_uses();
    if (uses.empty()) return {};
    auto reader = storage_.connect_reader();
    if (!reader) return std::move(reader).error();
    auto changes = auth::changes_of(uses, **reader);
    if (!changes) return std::move(changes).error();
    return write_all(engine_, std::move(*changes));
}

result<void> housekeeping::forget_workers() {
    auto reader = storage_.connect_reader();
    if (!reader) return std::move(reader).error();
    const timestamp now = engine_.runtime().time.now();
    auto gone = orderproc::forget_workers(**reader, now, workers_max);
    if (!gone) return std::move(gone).error();
    return write_all(engine_, std::move(*gone));
}

}  // namespace orderproc::server
