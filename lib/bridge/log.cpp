#include <orderproc/log.hpp>

#include <array>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

std::int64_t count(std::size_t value) noexcept {
    return static_cast<std::int64_t>(value);
}

}  // namespace

std::string_view name_of(log_level value) noexcept {
    switch (value) {
        case log_level::debug:
            return "debug";
        case log_level::info:
            return "info";
        case log_level::warning:
            return "warning";
        case log_level::error:
            return "error";
    }
    return "unknown";
}

log_observer::log_observer(log_sink to, log_level least) : to_(std::move(to)), least_(least) {}

void log_observer::write(log_level level, std::string_view event,
                         std::span<const log_field> fields) noexcept {
    try {
        to_({level, event, fields});
    } catch (...) {  // there is nobody left to tell
    }
}

void log_observer::batch_written(const batch_report& it) noexcept {
    if (least_ > log_level::debug) return;
    const std::array<log_field, 4> fields{{{"changes", count(it.changes)},
                                           {"claims", count(it.claims)},
                                           {"write_us", std::int64_t{it.write_time.count()}},
                                           {"ok", !it.ec}}};
    write(log_level::debug, "batch_written", fields);
}

void log_observer::transition_committed(const transition_report& it) noexcept {
    if (least_ > log_level::debug) return;
    const std::array<log_field, 5> fields{{{"order_id", it.after.id.view()},
                                           {"event", it.event},
                                           {"to", it.after.status.view()},
                                           {"version", static_cast<std::int64_t>(it.after.version)},
                                           {"actor", it.actor}}};
    write(log_level::debug, "transition", fields);
}

void log_observer::orders_claimed(const claim_report& it) noexcept {
    if (least_ <= log_level::debug) {
        const std::array<log_field, 4> fields{{{"stage", it.stage.active.view()},
                                               {"handed_out", count(it.handed_out)},
                                               {"expired", count(it.expired)},
                                               {"exhausted", count(it.exhausted)}}};
        write(log_level::debug, "orders_claimed", fields);
    }
    for (const reclaimed_order& one : it.reclaimed) {
        const log_level level = one.failed ? log_level::info : log_level::warning;
        if (least_ > level) continue;
        const std::array<log_field, 4> fields{{{"order_id", one.id},
                                               {"stage", it.stage.active.view()},
                                               {"failed", one.failed},
                                               {"reason", one.reason}}};
        write(level, one.failed ? "order_failed" : "order_reclaimed", fields);
    }
}

void log_observer::attempt_finished(const attempt_report& it) noexcept {
    const bool fine = it.outcome == attempt_outcome::advanced ||
                      it.outcome == attempt_outcome::released ||
                      it.outcome == attempt_outcome::handed_over;
    const log_level level = fine && !it.failed ? log_level::debug : log_level::info;
    if (least_ > level) return;
    const std::array<log_field, 8> fields{{{"order_id", it.order},
                                           {"stage", it.stage},
                                           {"attempt", std::int64_t{it.attempt}},
                                           {"outcome", name_of(it.outcome)},
                                           {"failed", it.failed},
                                           {"reason", it.reason},
                                           {"duration_ms", std::int64_t{it.duration.count()}},
                                           {"traceparent", it.traceparent}}};
    write(level, it.failed ? "order_failed" : "attempt_finished", fields);
}

void log_observer::lease_lost(std::string_view order) noexcept {
    if (least_ > log_level::warning) return;
    const std::array<log_field, 1> fields{{{"order_id", order}}};
    write(log_level::warning, "lease_lost", fields);
}

void log_observer::broker_changed(const broker_report& it) noexcept {
    const log_level level = it.connected ? log_level::info : log_level::warning;
    if (least_ > level) return;
    try {
        const std::string why = it.connected ? std::string() : it.why.message();
        const std::array<log_field, 3> fields{
            {{"broker", it.broker}, {"connection", it.connection}, {"what", why}}};
        write(level, it.connected ? "broker_connected" : "broker_disconnected",
              std::span(fields).first(it.connected ? 2 : 3));
    } catch (...) {  // out of memory: there is nobody left to tell
    }
}

void log_observer::entry_given_up(const given_up_report& it) noexcept {
    try {
        const std::string position = std::to_string(it.epoch) + "-" + std::to_string(it.offset);
        const std::string why = it.why.message();
        const std::array<log_field, 6> fields{{{"cursor", it.cursor},
                                               {"position", position},
                                               {"order_id", it.order},
                                               {"event", it.event},
                                               {"action", name_of(it.action)},
                                               {"what", why}}};
        write(log_level::error, "entry_given_up", fields);
    } catch (...) {  // out of memory: there is nobody left to tell
    }
}

void log_observer::message_refused(std::string_view id, std::string_view reason) noexcept {
    if (least_ > log_level::warning) return;
    const std::array<log_field, 2> fields{{{"message_id", id}, {"reason", reason}}};
    write(log_level::warning, "message_refused", fields);
}

void log_observer::error(std::string_view where, const failure& what) noexcept {
    try {
        const std::string text = what.message();
        const std::array<log_field, 2> fields{{{"where", where}, {"what", text}}};
        write(log_level::error, "error", fields);
    } catch (...) {  // out of memory: there is nobody left to tell
    }
}

}  // namespace v1
}  // namespace orderproc
