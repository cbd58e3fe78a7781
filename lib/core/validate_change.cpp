#include "core/command_texts.hpp"

#include <orderproc/change.hpp>

#include <string_view>
#include <variant>

namespace orderproc {
inline namespace v1 {

namespace {

result<void> check(const create_order& create, const change& what) {
    const order& it = create.value;
    if (it.id.empty() || it.id.view() != what.order) {
        return failure{errc::invalid_argument, "create_order: the id is not the change's order"};
    }
    if (it.status == order_status()) {
        return failure{errc::invalid_argument, "create_order: the order has no status"};
    }
    return validate(it);
}

result<void> check(const edit_order& edit, const change&) {
    return validate(edit.content);
}

result<void> check(const transition_order& move, const change& what) {
    if (is_engine_event(what.event)) {  // purges go by these
        return failure{errc::invalid_argument,
                       "transition_order: the event \"" + what.event + "\" is no move"};
    }
    if (move.to == order_status()) {
        return failure{errc::invalid_argument, "transition_order: there is no status to go to"};
    }
    if (move.last_error) {
        if (auto ok = detail::check_reason("last_error", *move.last_error); !ok) return ok;
    }
    return detail::check_reason("reason", move.reason);
}

result<void> check(const remove_order&, const change& what) {
    if (what.event == "delete") return {};
    return failure{errc::invalid_argument, "remove_order: the event is not \"delete\""};
}

result<void> check(const renew_lease& renew, const change&) {
    if (!renew.handed_over || renew.handed_over->count() > 0) return {};
    return failure{errc::invalid_argument, "renew_lease: handed_over must be longer than nothing"};
}

// The rest of the order is as good as it was: what is added is judged within a sample.
result<void> check(const annotate_order& annotate, const change& what) {
    if (what.event != "annotate") {
        return failure{errc::invalid_argument, "annotate_order: the event is not \"annotate\""};
    }
    order_content sample;
    sample.item_ids = {1};
    sample.total_amount.currency = "USD";
    sample.attributes = annotate.attributes;
    if (annotate.annotations) sample.annotations = *annotate.annotations;
    return validate(sample);
}

result<void> check(const redact_order&, const change& what) {
    if (what.event == "redact") return {};
    return failure{errc::invalid_argument, "redact_order: the event is not \"redact\""};
}

result<void> check(const index_order&, const change&) {
    return {};
}

result<void> check(const look_up_key&, const change& what) {
    if (what.idempotency_key) return {};
    return failure{errc::invalid_argument, "there is no idempotency key to look up"};
}

}  // namespace

result<void> validate(const change& what) {
    if (what.order.empty()) {
        return failure{errc::invalid_argument, "the change names no order"};
    }
    if (what.event.empty()) {
        return failure{errc::invalid_argument, "the change has no event"};
    }
    if (auto ok = detail::check_actor(what.actor); !ok) return ok;
    if (auto ok = detail::check_traceparent(what.traceparent); !ok) return ok;
    return std::visit([&](const auto& it) { return check(it, what); }, what.action);
}

}  // namespace v1
}  // namespace orderproc
