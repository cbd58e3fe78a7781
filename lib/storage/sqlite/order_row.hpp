#ifndef ORDERPROC_STORAGE_SQLITE_ORDER_ROW_HPP
#define ORDERPROC_STORAGE_SQLITE_ORDER_ROW_HPP

// Orders and journal entries as rows.

#include "statement.hpp"

#include <orderproc/repository.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace orderproc::detail::sqlite {

// What read_order(), read_stored_order() and read_entry() expect from column 0 on. The first is
// the beginning of the second: a list of orders costs what it reads.
#define ORDERPROC_ORDER_COLUMNS                                                              \
    "number,order_id,user_id,status,version,attempts,amount,currency,created_at,updated_at," \
    "next_attempt_at,first_claimed_at,settled_at,last_error,item_ids,metadata"
inline constexpr const char* order_columns = ORDERPROC_ORDER_COLUMNS;
inline constexpr int order_column_count = 16;
inline constexpr const char* stored_order_columns =
    ORDERPROC_ORDER_COLUMNS ",lease,leased,due_at,lapses,worker_id,traceparent,span";
#undef ORDERPROC_ORDER_COLUMNS
inline constexpr const char* entry_columns =
    "position,version,event,from_status,actor,reason,traceparent,at,snapshot";

// Fail the connection as corrupt if the row cannot have been written by us.
order read_order(connection& db, const rows& row);
stored_order read_stored_order(connection& db, const rows& row);
journal_entry read_entry(connection& db, const rows& row, std::uint64_t epoch);
order_status read_status(connection& db, std::string_view text);
order read_snapshot(connection& db, std::string_view bytes);

void print_items(std::span<const std::int64_t> items, std::string& out);  // a JSON array

}  // namespace orderproc::detail::sqlite

#endif
