#ifndef ORDERPROC_COMMAND_HPP
#define ORDERPROC_COMMAND_HPP

// What somebody asks for.

#include <orderproc/change.hpp>
#include <orderproc/runtime.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace orderproc {
inline namespace v1 {

struct submit_order {
    order_draft value;
};
struct edit_fields {
    std::string order;
    // A tenant and annotations that are empty stay as they are; no other tenant can take its place.
    order_draft fields;
};
struct raise_event {
    static constexpr std::size_t reason_size_max = 1024;

    std::string order;
    std::string event;
    std::string reason = {};  // UTF-8 without NUL, at most reason_size_max bytes
};
// What may change in every status: see annotate_order.
struct annotate {
    std::string order;
    annotate_order fields;
};
struct erase_order {
    std::string order;
};
// See redact_order.
struct redact_personal {
    std::string order;
};
// See index_order.
struct refresh_index {
    std::string order;
};
struct find_key {       // see look_up_key; command::idempotency_key is required
    std::string order;  // to be shown if the key is unknown; empty: none
};

struct command {
    static constexpr std::size_t actor_size_max = 256;
    static constexpr std::size_t traceparent_size_max = 256;

    std::variant<submit_order, edit_fields, raise_event, erase_order, find_key, annotate,
                 redact_personal, refresh_index>
        what;
    std::optional<idempotency> idempotency_key = {};  // Idempotency-Key
    std::optional<order_version> version = {};        // If-Match
    order_scope scope = {};                           // what the principal may see and change
    std::string actor = {};                           // UTF-8 without control characters, or empty
    std::string traceparent = {};  // W3C Trace Context: printable ASCII, or empty
};

// The change that a command means under a machine. What clients may raise is for the caller
// to check (transition::open_to_clients): a host may raise any event but a stage's start.
//
// errc::invalid_argument: order_model::validate() says so, a text of the command is longer than its
// bound or has characters that it may not have, a new order's id has not the model's form, an
// attribute that is annotated does not change in every status, or the order would be outside the
// command's scope; the failure's detail says which. errc::not_found: no such event;
// errc::transition_rejected: the event is a stage's start, which only a claim raises.
// The change points into the machine and to the model.
ORDERPROC_EXPORT result<change> lower(command&& what, const status_machine& machine, runtime& with,
                                      const order_model& model = order_model::standard());
inline result<change> lower(const command& what, const status_machine& machine, runtime& with,
                            const order_model& model = order_model::standard()) {
    return lower(command(what), machine, with, model);
}

}  // namespace v1
}  // namespace orderproc

#endif
