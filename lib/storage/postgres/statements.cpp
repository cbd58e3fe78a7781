#include "storage/postgres/statements.hpp"

#include "storage/postgres/order_row.hpp"

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

// The due bound of a status as of the latest write.
std::string due_from_of(const std::string& status) {
    return "coalesce((SELECT latest.due_from[array_position(latest.statuses, " + status +
           "::text)] FROM (SELECT statuses, due_from FROM writes ORDER BY id DESC LIMIT 1) "
           "latest), 9223372036854775807)";
}
const std::string due_from_of_first = due_from_of("$1");

// When the first order in a status is due.
std::string first_due_of(const std::string& status) {
    return "(SELECT due_at FROM work WHERE status = " + status +
           "::text AND due_at >= " + due_from_of(status) + " ORDER BY due_at, number LIMIT 1)";
}

std::string select_orders(const std::string& rest) {
    return "SELECT " + std::string(stored_order_columns) + " " + rest;
}

}  // namespace

const std::string orders_by_id = select_orders(
    "FROM orders o JOIN work w ON w.number = o.number WHERE o.order_id = ANY($1::bytea[])");

const std::string first_positions =
    "SELECT due_at, number FROM work WHERE status = $1::text AND due_at >= " + due_from_of_first +
    " ORDER BY due_at, number LIMIT $2::bigint";

const std::string first_due_orders = select_orders(
    "FROM (SELECT * FROM work WHERE status = $1::text AND due_at >= " + due_from_of_first +
    " AND due_at <= greatest($3::bigint, (SELECT stamp FROM writes ORDER BY id DESC LIMIT 1)) "
    "ORDER BY due_at, number LIMIT $2::bigint) w JOIN orders o ON o.number = w.number");

const std::string anything_due =
    "SELECT (SELECT stamp FROM writes ORDER BY id DESC LIMIT 1), "
    "(SELECT coalesce(sum(lost), 0)::bigint FROM epochs), "
    "(SELECT version FROM records WHERE collection = $3::bytea AND key = $4::bytea), " +
    first_due_of("$1") + ", " + first_due_of("$2");

const std::string holders_of_values =
    "SELECT " + std::string(stored_order_columns) +
    ", t.slot, t.value FROM unnest($1::bigint[], $2::bytea[]) t(slot, value) JOIN order_index i "
    "ON i.slot = t.slot AND i.value = t.value AND i.is_unique "
    "JOIN orders o ON o.number = i.number JOIN work w ON w.number = i.number";

const std::string orders_behind = select_orders(
    "FROM (SELECT * FROM work WHERE status = $1::text AND (due_at, number) > "
    "($2::bigint, $3::bigint) AND due_at IS NOT NULL ORDER BY due_at, number LIMIT $4::bigint) w "
    "JOIN orders o ON o.number = w.number ORDER BY w.due_at, w.number");

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
