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

// What read_order() and read_entry() expect from column 0 on.
inline constexpr const char* order_columns =
    "number,order_id,user_id,status,version,attempts,amount,currency,created_at,updated_at,"
    "next_attempt_at,first_claimed_at,settled_at,lease,leased,due_at,lapses,worker_id,"
    "last_error,item_ids,metadata,traceparent";
inline constexpr int order_column_count = 22;
inline constexpr const char* entry_columns =
    "position,version,event,from_status,actor,reason,traceparent,at,snapshot";

// Fail the connection as corrupt if the row cannot have been written by us.
stored_order read_order(connection& db, const rows& row);
journal_entry read_entry(connection& db, const rows& row, std::uint64_t epoch);
order_status read_status(connection& db, std::string_view text);
order read_snapshot(connection& db, std::string_view bytes);

void print_items(std::span<const std::int64_t> items, std::string& out);  // a JSON array

}  // namespace orderproc::detail::sqlite

#endif
