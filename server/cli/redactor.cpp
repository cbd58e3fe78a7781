#include "cli/redactor.hpp"

#include "auth/audit.hpp"

#include <orderproc/command.hpp>

#include <chrono>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

// How long to wait for readers of the log, which may hold what was taken out.
constexpr std::chrono::seconds log_timeout(5);
constexpr std::chrono::milliseconds log_poll(100);

}  // namespace

redactor::redactor(repository& orders, const shop_model& shop, std::string actor, bool audited,
                   redaction_log* log)
    : orders_(orders), shop_(shop), actor_(std::move(actor)), audited_(audited), log_(log) {
    name_ = "redact-" + std::to_string(with_.random.next());
}

result<redaction_tally> redactor::redact(std::span<const std::string> ids) {
    redaction_tally out;
    for (const std::string& id : ids) {
        if (auto done = redact_one(id, out); !done) return std::move(done).error();
    }
    return out;
}

result<void> redactor::redact_one(const std::string& id, redaction_tally& out) {
    const auto needed = needs_redaction(orders_, shop_.orders, id);
    if (!needed && needed.error().code == errc::not_found) {
        out.missing.push_back(id);
        return {};
    }
    if (!needed) return needed.error();
    const auto there = orders_.load({{&id, 1}});
    if (!there) return there.error();
    const auto& current = there->orders.front();
    if (current && !current->settled_at) {
        out.open.push_back(id);
        return {};
    }
    if (!*needed) {
        ++out.unchanged;
        return log_first(id);
    }
    command what;
    what.what = redact_personal{id};
    const auto done = write(std::move(what));
    if (!done) return done.error();
    if (done->ec == errc::transition_rejected) {  // it was retried meanwhile
        out.open.push_back(id);
    } else if (done->ec == errc::not_found) {
        out.missing.push_back(id);
    } else if (done->ec) {
        return failure{done->ec, "order " + id};
    } else {
        ++out.redacted;
    }
    return {};
}

result<redact_report> redactor::redact_all(
    const order_scope& whose, const std::function<void(const redact_report&)>& progress) {
    return redact_orders(
        orders_, shop_.orders, whose, [this](command what) { return write(std::move(what)); },
        progress, [this](std::string_view id) { return log_first(std::string(id)); });
}

result<change_outcome> redactor::write(command what) {
    if (const auto* const it = std::get_if<redact_personal>(&what.what)) {
        if (auto logged = log_first(it->order); !logged) return std::move(logged).error();
    }
    what.actor = actor_;
    auto change = lower(std::move(what), shop_.statuses, with_, shop_.orders);
    if (!change) return std::move(change).error();
    change_outcome out;
    write_params params;
    params.now = with_.time.now();
    params.writer = name_;
    params.sequence = ++sequence_;
    params.changes = {&*change, 1};
    params.guard = guard_of(shop_);
    write_results results;
    results.changes = {&out, 1};
    auto done = orders_.write(params, results);
    if (!done) return std::move(done).error();
    if (out.ec || !audited_) return out;
    if (auto noted = note(out.after.value()); !noted) return std::move(noted).error();
    return out;
}

// A restore may redact an order that the log names without need. One that it does not name would
// be there again with what was taken out: so those that were redacted without a log are named, too.
result<void> redactor::log_first(const std::string& id) {
    if (!log_) return {};
    return log_->append({id, with_.time.now(), actor_});
}

// An order that was redacted, in the audit trail.
result<void> redactor::note(const order& it) {
    const change_record what =
        auth::to_record({with_.time.now(), actor_, "order.redact",
                         std::string(it.id.view()) + ", version " +
                             std::to_string(static_cast<std::uint64_t>(it.version))});
    record_outcome out;
    write_params params;
    params.now = with_.time.now();
    params.writer = name_;
    params.sequence = ++sequence_;
    params.records = {&what, 1};
    write_results results;
    results.records = {&out, 1};
    if (auto done = orders_.write(params, results); !done) return done;
    if (out.ec) return failure{out.ec, "the audit record could not be written"};
    return {};
}

result<bool> empty_log_of(repository& orders) {
    const auto end = std::chrono::steady_clock::now() + log_timeout;
    while (true) {
        const auto more = orders.tidy();
        if (!more) return more.error();
        if (!*more) return true;
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(log_poll);
    }
}

}  // namespace orderproc::server
