#include "api/bulk_retry.hpp"

#include "auth/api_key.hpp"

#include <orderproc/command.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t operation_id_size = 22;

// What it says of the whole, not of one order.
bool ends_all(const error_code& ec) noexcept {
    return ec == errc::stopped || ec == errc::unavailable || ec == errc::overloaded;
}

std::string_view code_of(const error_code& ec) noexcept {
    if (ec == errc::not_found) return "not_found";
    if (ec == errc::version_conflict) return "version_conflict";
    if (ec == errc::outcome_unknown) return "outcome_unknown";
    return "transition_refused";
}

}  // namespace

std::string_view name_of(bulk_retry::state value) noexcept {
    switch (value) {
        case bulk_retry::state::running:
            return "running";
        case bulk_retry::state::done:
            return "done";
        case bulk_retry::state::stopped:
            return "stopped";
        case bulk_retry::state::failed:
            break;
    }
    return "failed";
}

bulk_retry::bulk_retry(engine& by, std::string id, bulk_retry_plan plan)
    : engine_(by), id_(std::move(id)), plan_(std::move(plan)) {
    seen_.started_at = engine_.runtime().time.now();
    seen_.total = plan_.orders.size();
}

bulk_retry::snapshot bulk_retry::look() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void bulk_retry::stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    end_if_over();
}

// The next one, if there is one and room for it.
bool bulk_retry::take(std::size_t& at) noexcept {
    const std::lock_guard lock(mutex_);
    const bool over = stopping_ || next_ == plan_.orders.size();
    if (over) end_if_over();
    if (over || under_way_ == in_flight_max) return false;
    at = next_++;
    ++under_way_;
    return true;
}

void bulk_retry::go_on() noexcept {
    std::size_t at = 0;
    while (take(at)) {
        result<void> sent = errc::unavailable;
        try {
            sent = submit(at);
        } catch (const std::exception&) {  // memory has run out before it was queued
        }
        if (!sent) answered(at, sent.error().code);
    }
}

result<void> bulk_retry::submit(std::size_t at) {
    const bulk_retry_plan::one& it = plan_.orders[at];
    command what;
    what.what = raise_event{it.order, it.event, {}};
    what.version = it.version;
    what.actor = plan_.actor;
    return engine_.submit(std::move(what),
                          [self = shared_from_this(), at](change_outcome& outcome) {
                              self->answered(at, outcome.ec);
                              self->go_on();
                          });
}

void bulk_retry::answered(std::size_t at, error_code ec) noexcept {
    const std::lock_guard lock(mutex_);
    --under_way_;
    if (!ec) {
        ++seen_.done;
    } else if (ends_all(ec)) {
        fail(ec);
    } else {
        ++seen_.refused_count;
        try {
            if (seen_.refused.size() < refusals_max) {
                seen_.refused.push_back({plan_.orders[at].order, code_of(ec)});
            }
        } catch (const std::exception&) {  // it is counted all the same
        }
    }
    end_if_over();
}

void bulk_retry::fail(const error_code& why) noexcept {
    stopping_ = true;
    if (seen_.now == state::failed) return;
    seen_.now = state::failed;
    try {
        seen_.error = why == errc::stopped ? "the server stopped"
                      : why == errc::overloaded
                          ? "the server has too much to do: retry the rest later"
                          : "the storage is not available";
    } catch (const std::exception&) {  // the state says enough
    }
}

// REQUIRES: the lock is held.
void bulk_retry::end_if_over() noexcept {
    if (seen_.finished_at || under_way_ > 0) return;
    const bool all = next_ == plan_.orders.size();
    if (!all && !stopping_) return;
    if (seen_.now == state::running) seen_.now = all ? state::done : state::stopped;
    seen_.finished_at = engine_.runtime().time.now();
}

result<std::shared_ptr<bulk_retry>> bulk_retries::start(bulk_retry_plan plan) {
    auto out = std::make_shared<bulk_retry>(engine_, auth::random_text(operation_id_size),
                                            std::move(plan));
    {
        const std::lock_guard lock(mutex_);
        forget();
        const auto running = std::count_if(all_.begin(), all_.end(), [](const auto& it) {
            return it->look().now == bulk_retry::state::running;
        });
        if (static_cast<std::size_t>(running) >= running_max) return errc::overloaded;
        all_.push_back(out);
    }
    out->start();
    return out;
}

std::shared_ptr<bulk_retry> bulk_retries::find(std::string_view id) {
    const std::lock_guard lock(mutex_);
    forget();
    for (const auto& it : all_) {
        if (it->id() == id) return it;
    }
    return nullptr;
}

// The oldest of those that are finished, and those that were long ago.
void bulk_retries::forget() {
    const timestamp before = engine_.runtime().time.now() - kept_for;
    std::erase_if(all_, [&](const auto& it) {
        const auto end = it->look().finished_at;
        return end && *end < before;
    });
    for (auto it = all_.begin(); all_.size() >= kept_max && it != all_.end();) {
        it = (*it)->look().finished_at ? all_.erase(it) : it + 1;
    }
}

}  // namespace orderproc::server
