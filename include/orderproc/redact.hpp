#ifndef ORDERPROC_REDACT_HPP
#define ORDERPROC_REDACT_HPP

// Redacts all orders of a user who asks to be forgotten (GDPR, article 17).

#include <orderproc/command.hpp>
#include <orderproc/repository.hpp>

#include <cstdint>
#include <functional>
#include <string_view>

namespace orderproc {
inline namespace v1 {

struct redact_report {
    std::uint64_t redacted = 0;  // orders, with deleted ones
    std::uint64_t before = 0;    // orders that had nothing left to be taken out
    std::uint64_t open = 0;      // orders that are not settled, and were left as they are
};

// Executes a command, for example by engine::execute(), and answers its outcome. It is called on
// the thread of the caller, one command at a time.
using redact_function = std::function<result<change_outcome>(command what)>;
// Told of an order that is left alone because nothing is left to be taken out. An error ends it.
using unchanged_function = std::function<result<void>(std::string_view order)>;

// Redacts every order within the scope that is settled, and every one that was deleted, as the
// model says: see redact_order. An order is within the scope by what it is now, or was at its end.
// Deleted ones are found by walking the whole journal. Each order is a write of its own; after a
// crash or a failure, call it again, and it goes on: an order that has had nothing personal since
// its latest redaction is left alone. progress, if given, is called after each page of orders or of
// the journal, and unchanged with each order that redact_report::before counts.
//
// errc::invalid_argument: the scope has no user. Other errors are those of the storage, of redact
// and of unchanged, with which it ends.
ORDERPROC_EXPORT result<redact_report> redact_orders(
    repository_reader& from, const order_model& model, const order_scope& whose,
    const redact_function& redact, const std::function<void(const redact_report&)>& progress = {},
    const unchanged_function& unchanged = {});

// Does the order, which may be deleted, have to be redacted: has it never been, or has it had
// anything personal since its latest redaction? Reads its whole history. errc::not_found: there
// never was such an order, or it was purged. Other errors are those of the storage.
ORDERPROC_EXPORT result<bool> needs_redaction(repository_reader& from, const order_model& model,
                                              std::string_view order);

}  // namespace v1
}  // namespace orderproc

#endif
