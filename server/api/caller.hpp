#ifndef ORDERPROC_SERVER_API_CALLER_HPP
#define ORDERPROC_SERVER_API_CALLER_HPP

// Who sends a request, and which orders they may see and change.

#include "http/message.hpp"

#include <orderproc/command.hpp>

#include <string>
#include <string_view>

namespace orderproc::server {

struct caller {
    std::string principal = {};  // idempotency keys of one are not those of another
    std::string actor = {};      // what the journal says of changes; empty: nothing
    order_scope scope = {};      // the orders that it may see and change
};

// The one place where callers are made. Nobody is known yet: all are the same principal, who may
// see and change every order.
caller identify(const http::request& in);

// The command becomes the caller's. key: Idempotency-Key, or empty; operation and order: what it
// is for, see idempotency_scope; body: a request with the same key must have the same one.
void speak_for(const caller& by, const http::request& in, std::string_view operation,
               std::string_view order, std::string_view key, std::string_view body, command& what);

// What the caller may see of what it asks for. False: nothing, for that is somebody else's.
bool narrow(const caller& by, order_scope& asked);

// For the detail of a refusal, where that is false.
inline constexpr std::string_view not_the_callers = "has to be the caller's own";

}  // namespace orderproc::server

#endif
