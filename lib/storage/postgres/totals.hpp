#ifndef ORDERPROC_STORAGE_POSTGRES_TOTALS_HPP
#define ORDERPROC_STORAGE_POSTGRES_TOTALS_HPP

#include "storage/plan/read_set.hpp"
#include "storage/postgres/values.hpp"

#include <cstdint>
#include <limits>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// What all writes came to: the latest row of the table writes, its id before it, and the server's
// time at which the transaction began after it.
inline constexpr const char* latest_totals =
    "SELECT id, stamp, number, position, floor, record_version, completed, processing_ms, "
    "statuses, orders, due_from, (extract(epoch FROM transaction_timestamp()) * 1000)::bigint AS "
    "time "
    "FROM writes ORDER BY id DESC LIMIT 1";

inline constexpr int totals_statuses_column = 8;
inline constexpr int totals_column_count = 12;
// A due time in these rows that stands for none.
inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

result<plan::totals> read_totals(const rows& latest);
// The parameters of insert_totals: of the write with this id, and whose it is.
parameters totals_row(std::int64_t id, const plan::totals& sums, std::string_view writer,
                      std::uint64_t sequence, timestamp at);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
