#ifndef ORDERPROC_SERVER_API_CALLER_HPP
#define ORDERPROC_SERVER_API_CALLER_HPP

// Who sends a request, and which orders they may see and change.

#include "auth/principal.hpp"
#include "http/message.hpp"

#include <orderproc/command.hpp>
#include <orderproc/journal.hpp>

#include <string>
#include <string_view>

namespace orderproc::server {

struct caller {
    auth::principal_ptr who = auth::nobody();  // never none

    // What the journal says of changes; empty: nobody.
    const std::string& name() const noexcept { return who->name(); }
    bool may(auth::scope what) const noexcept { return who->may(what); }
    // It sees its own orders alone, and nothing of how they are worked on.
    bool bound() const noexcept { return who->bound(); }
    order_scope scope() const { return {who->user(), who->tenant()}; }  // the orders that it sees
    bool sees(const order_content& it) const noexcept;
};

// The command becomes the caller's. key: Idempotency-Key, or empty; operation and order: what it
// is for, see idempotency_scope; body: a request with the same key must have the same one. A new
// order that names no user or tenant is of the one that the caller is bound to.
void speak_for(const caller& by, const http::request& in, std::string_view operation,
               std::string_view order, std::string_view key, std::string_view body, command& what);

// What the caller may see of what it asks for. False: nothing, for that is somebody else's.
bool narrow(const caller& by, order_scope& asked);

// For the detail of a refusal, where that is false.
inline constexpr std::string_view not_the_callers = "has to be the caller's own";

// Takes out what a bound caller does not get to see: last_error, reason and actor.
void conceal(order& it);
void conceal(journal_entry& it);

}  // namespace orderproc::server

#endif
