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
    }
    return "unknown";
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

void observers::orders_offered(const offer_report& it) noexcept {
    for (observer* one : all_) one->orders_offered(it);
}

void observers::message_refused(std::string_view id, std::string_view reason) noexcept {
    for (observer* one : all_) one->message_refused(id, reason);
}

void observers::trouble(std::string_view where, const failure& what) noexcept {
    for (observer* one : all_) one->trouble(where, what);
}

}  // namespace v1
}  // namespace orderproc
