#include "cli/key_use_log.hpp"

#include "auth/key_use.hpp"

#include <cstddef>
#include <deque>
#include <exception>
#include <latch>
#include <utility>

namespace orderproc::server {

namespace {

// Of one record. That another process was quicker is no failure.
class use_written final : public record_completion {
public:
    explicit use_written(std::latch& all) : all_(all) {}
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
    std::deque<use_written> done;  // which stay where they are
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
    for (const use_written& it : done) {
        const bool quicker = it.ec == errc::already_exists || it.ec == errc::version_conflict ||
                             it.ec == errc::not_found;
        if (it.ec && !quicker) out = failure{it.ec};
    }
    return out;
}

result<void> write_uses(storage& of, engine& by, auth::key_table& keys) {
    const auto uses = keys.take_uses();
    if (uses.empty()) return {};
    auto reader = of.connect_reader();
    if (!reader) return std::move(reader).error();
    auto changes = auth::changes_of(uses, **reader);
    if (!changes) return std::move(changes).error();
    return write_all(by, std::move(*changes));
}

}  // namespace

key_use_log::key_use_log(storage& of, engine& by, auth::key_table* keys)
    : storage_(of), engine_(by), keys_(keys) {
    if (keys_) thread_ = std::thread([this] { run(); });
}

key_use_log::~key_use_log() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void key_use_log::run() noexcept {
    for (bool last = false; !last;) {
        {
            std::unique_lock lock(mutex_);
            last = changed_.wait_for(lock, interval, [this] { return stopping_; });
        }
        write();
    }
}

void key_use_log::write() noexcept {
    failure why;
    try {
        if (auto done = write_uses(storage_, engine_, *keys_); !done) why = done.error();
    } catch (const std::exception&) {
        why.code = errc::unavailable;
    }
    if (why.code) engine_.runtime().observer.error("auth.key_uses", why);
}

}  // namespace orderproc::server
