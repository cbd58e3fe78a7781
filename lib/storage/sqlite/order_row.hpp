#ifndef ORDERPROC_STORAGE_SQLITE_ORDER_ROW_HPP
#define ORDERPROC_STORAGE_SQLITE_ORDER_ROW_HPP

// Orders and journal entries as rows.

#include "statement.hpp"

#include <orderproc/repository.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// What read_order(), read_stored_order() and read_entry() expect from column 0 on. The first is
// the beginning of the second: a list of orders costs what it reads.
#define ORDERPROC_ORDER_COLUMNS                                                              \
    "number,order_id,user_id,status,version,attempts,amount,currency,created_at,updated_at," \
    "next_attempt_at,first_claimed_at,settled_at,last_error,item_ids,metadata,extra"
inline constexpr const char* order_columns = ORDERPROC_ORDER_COLUMNS;
inline constexpr int order_column_count = 17;
inline constexpr const char* stored_order_columns =
    ORDERPROC_ORDER_COLUMNS ",lease,leased,due_at,lapses,worker_id,traceparent,span";
#undef ORDERPROC_ORDER_COLUMNS
inline constexpr const char* entry_columns =
    "position,version,event,from_status,actor,reason,traceparent,at,snapshot";

// Fail the connection as corrupt if the row cannot have been written by us.
order read_order(connection& db, const rows& row);
stored_order read_stored_order(connection& db, const rows& row);
journal_entry read_entry(connection& db, const rows& row, std::span<const journal_epoch> epochs);
order_status read_status(connection& db, std::string_view text);
order read_snapshot(connection& db, std::string_view bytes);

// The column user_id. A user who is an integer of 1 or more is that integer, a guest is 0, and any
// other text is a hash of it below 0, so that one index serves them all; the text is in extra.
std::int64_t user_key(std::string_view user) noexcept;

void print_items(std::span<const std::int64_t> items, std::string& out);  // a JSON array

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
