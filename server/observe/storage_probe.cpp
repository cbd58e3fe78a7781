#include "observe/storage_probe.hpp"

#include <exception>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

constexpr const char* cursor_name = "readiness";

}  // namespace

storage_probe::storage_probe(storage& orders, engine& writes, health& state,
                             storage_probe_options options)
    : storage_(orders), engine_(writes), state_(state), options_(options) {
    if (options_.thread) thread_ = std::thread([this] { run(); });
}

storage_probe::~storage_probe() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !writing_; });
}

void storage_probe::run() noexcept {
    for (;;) {
        look();
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, options_.interval, [this] { return stopping_; })) return;
    }
}

void storage_probe::look() {
    state_.read_begins();
    state_.read_ends(read());
    if (state_.write_failed()) write();
}

error_code storage_probe::read() noexcept {
    failure why;
    const auto threw = [&why](const char* text) noexcept {
        why.code = errc::unavailable;
        try {
            why.detail = text;
        } catch (const std::exception&) {  // without memory for the text, the code has to do
        }
    };
    try {
        spare_.reset();
        auto made = storage_.connect_reader();
        if (made) {
            const auto counted = (*made)->count();
            if (!counted) {
                why = counted.error();
            } else if (options_.counted) {
                options_.counted(**made, *counted);
            }
            spare_ = std::exchange(kept_, std::move(*made));
            if (!spare_) {
                if (auto more = storage_.connect_reader()) {
                    spare_ = std::move(*more);
                }
            }
        } else {
            why = std::move(made).error();
            spare_ = std::move(kept_);
        }
    } catch (const std::exception& thrown) {
        threw(thrown.what());
    } catch (...) {
        threw("an exception that is no std::exception");
    }
    // The answers of /healthz name the code alone, for anybody may ask. The log has it all, once.
    if (why.code && why.code != reported_) engine_.runtime().observer.error("health.read", why);
    reported_ = why.code;
    return why.code;
}

void storage_probe::write() noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (writing_) return;
        writing_ = true;
    }
    state_.write_begins();
    try {
        commit_cursor lease;
        lease.name = cursor_name;
        lease.owner = cursor_name;  // the same in all processes: they never wait for each other
        lease.expires_at = engine_.runtime().time.now();
        if (engine_.submit(std::move(lease), *this)) return;
    } catch (const std::exception&) {  // without memory it is tried again at the next look
    }
    complete({});
}

void storage_probe::complete(const cursor_outcome&) noexcept {
    state_.write_ends();
    const std::lock_guard lock(mutex_);
    writing_ = false;
    changed_.notify_all();
}

}  // namespace orderproc::server
