#include "core/refusal_text.hpp"

#include <cstdint>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

// A name of which nobody knows yet whether it is one, as far as it is worth showing.
std::string quoted(std::string_view name) {
    constexpr std::size_t shown_size_max = 64;
    std::string out = "\"";
    for (const char c : name.substr(0, shown_size_max)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return out + (name.size() > shown_size_max ? "…\"" : "\"");
}

std::string number_of(order_version version) {
    return std::to_string(static_cast<std::uint64_t>(version));
}

std::string version_text(const change& what, const order& now) {
    std::string out = "order " + quoted(what.order) + " is at version " + number_of(now.version);
    if (what.version) out += ", not " + number_of(*what.version);
    return out;
}

std::string status_text(const change& what, const change_outcome& outcome) {
    std::string out = quoted(what.event) + " is refused";
    if (!outcome.after) return out;
    const order_status now = outcome.after->status;
    out += ": order " + quoted(what.order) + " is " + std::string(now.view());
    for (const order_status& it : what.from) {
        if (it == now) return out + ", and work on it has begun";
    }
    if (what.from.empty()) return out + ", and is being worked on";
    out += ", not ";
    for (std::size_t i = 0; i < what.from.size(); ++i) {
        if (i > 0) out += i + 1 == what.from.size() ? " or " : ", ";
        out += what.from[i].view();
    }
    return out;
}

std::string fixed_text(const change& what) {
    std::string out = "an edit cannot change the tenant of an order";
    if (!what.model) return out;
    for (const attribute_rule* const rule : what.model->attributes()) {
        if (rule->edits == attribute_edits::never) out += ", nor its " + rule->name;
    }
    return out;
}

std::string taken_text(const change& what, const change_outcome& outcome) {
    std::string name;
    if (what.model) {
        for (const attribute_rule* const rule : what.model->attributes()) {
            if (rule->slot == outcome.taken) name = rule->name;
        }
    }
    std::string out = "another order has this " + (name.empty() ? "value" : name);
    if (outcome.after) out += ": " + quoted(outcome.after->id.view());
    return out;
}

}  // namespace

std::string describe_refusal(const change& what, const change_outcome& outcome) {
    if (outcome.ec == errc::transition_rejected) return status_text(what, outcome);
    if (outcome.ec == errc::version_conflict && outcome.after) {
        return version_text(what, *outcome.after);
    }
    if (outcome.ec == errc::not_found) return "there is no order " + quoted(what.order);
    if (outcome.ec == errc::already_exists) {
        return "the order id " + quoted(what.order) + " is taken" +
               (outcome.after ? "" : ", perhaps by an order that was deleted");
    }
    if (outcome.ec == errc::lease_lost) {
        return "the lease of order " + quoted(what.order) + " was taken over or has ended";
    }
    if (outcome.ec == errc::idempotency_mismatch) {
        return "the idempotency key was used with a different request";
    }
    if (outcome.ec == errc::invalid_argument && std::holds_alternative<edit_order>(what.action)) {
        return fixed_text(what);
    }
    if (outcome.ec == errc::attribute_taken) return taken_text(what, outcome);
    return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
