#include <orderproc/observer.hpp>

namespace orderproc {
inline namespace v1 {

std::string_view name_of(attempt_outcome value) noexcept {
    switch (value) {
        case attempt_outcome::advanced:
            return "advanced";
        case attempt_outcome::retried:
            return "retried";
        case attempt_outcome::gave_up:
            return "gave_up";
        case attempt_outcome::timed_out:
            return "timed_out";
        case attempt_outcome::released:
            return "released";
        case attempt_outcome::handed_over:
            return "handed_over";
    }
    return "unknown";
}

std::string_view name_of(feed_wait value) noexcept {
    switch (value) {
        case feed_wait::nothing:
            return "nothing";
        case feed_wait::leader:
            return "leader";
        case feed_wait::connection:
            return "connection";
        case feed_wait::room:
            return "room";
        case feed_wait::confirms:
            return "confirms";
        case feed_wait::entry:
            return "entry";
        case feed_wait::handler:
            return "handler";
    }
    return "unknown";
}

std::string_view name_of(unpublishable value) noexcept {
    switch (value) {
        case unpublishable::park:
            return "park";
        case unpublishable::skip:
            return "skip";
        case unpublishable::hold:
            return "hold";
    }
    return "unknown";
}

std::string describe(const feed_report& it) {
    if (it.lag <= std::chrono::milliseconds(0)) return {};
    const auto seconds = [](std::chrono::milliseconds time) {
        return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) +
               " s";
    };
    std::string lag = "the feed lags by " + seconds(it.lag);
    const std::string waited = seconds(it.waited);
    switch (it.waits_for) {
        case feed_wait::leader:
            return lag + ": another process leads, or none does";
        case feed_wait::connection:
            return lag + ": there is no connection to the broker, no progress for " + waited;
        case feed_wait::room:
            return lag + ": the broker has accepted nothing for " + waited;
        case feed_wait::confirms:
            return lag + ": the broker has confirmed nothing for " + waited;
        case feed_wait::entry:
            return lag + ": the next entry cannot be published or handled, no progress for " +
                   waited;
        case feed_wait::handler:
            return lag + ": its handler has taken nothing for " + waited;
        case feed_wait::nothing:
            break;
    }
    return lag;
}

void observers::batch_written(const batch_report& it) noexcept {
    for (observer* one : all_) one->batch_written(it);
}

void observers::transition_committed(const transition_report& it) noexcept {
    for (observer* one : all_) one->transition_committed(it);
}

void observers::orders_claimed(const claim_report& it) noexcept {
    for (observer* one : all_) one->orders_claimed(it);
}

void observers::key_used(key_use it) noexcept {
    for (observer* one : all_) one->key_used(it);
}

void observers::attempt_finished(const attempt_report& it) noexcept {
    for (observer* one : all_) one->attempt_finished(it);
}

void observers::lease_lost(std::string_view order) noexcept {
    for (observer* one : all_) one->lease_lost(order);
}

void observers::broker_changed(const broker_report& it) noexcept {
    for (observer* one : all_) one->broker_changed(it);
}

void observers::feed_measured(const feed_report& it) noexcept {
    for (observer* one : all_) one->feed_measured(it);
}

void observers::entry_given_up(const given_up_report& it) noexcept {
    for (observer* one : all_) one->entry_given_up(it);
}

void observers::orders_hinted(const hint_report& it) noexcept {
    for (observer* one : all_) one->orders_hinted(it);
}

void observers::message_refused(std::string_view id, std::string_view reason) noexcept {
    for (observer* one : all_) one->message_refused(id, reason);
}

void observers::error(std::string_view where, const failure& what) noexcept {
    for (observer* one : all_) one->error(where, what);
}

}  // namespace v1
}  // namespace orderproc
