#ifndef ORDERPROC_STORAGE_POSTGRES_STATEMENTS_HPP
#define ORDERPROC_STORAGE_POSTGRES_STATEMENTS_HPP

// The statements of a write.

#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// $1: ids.
extern const std::string orders_by_id;
inline constexpr const char* buried_ids =
    "SELECT order_id FROM tombstones WHERE order_id = ANY($1::bytea[])";
// $1: keys.
inline constexpr const char* used_keys =
    "SELECT k.key, k.body, j.snapshot FROM keys k LEFT JOIN journal j "
    "ON j.number = k.number AND j.version = k.version WHERE k.key = ANY($1::bytea[])";
inline constexpr const char* oldest_key = "SELECT at FROM keys ORDER BY id LIMIT 1";
// $1: status, $2: how many. The due bound of the status keeps the scan from what old transactions
// prevent from being removed at the beginning of the index.
extern const std::string first_positions;
// The same, with the orders, of those that are due at $3 or at the latest stamp.
extern const std::string first_due_orders;
// $1: status, $2: another one, $3: collection and $4: key of a record. One row: the latest stamp,
// the sum of epochs.lost, the record's version, when the first orders in these statuses are due.
extern const std::string anything_due;
// $1: status, $2: due_at, $3: number, $4: how many.
extern const std::string orders_behind;
// $1: position, $2: how many.
inline constexpr const char* walk =
    "SELECT j.position, j.number, j.version, j.at, coalesce(o.order_id, t.order_id), "
    "(SELECT l.version FROM journal l WHERE l.number = j.number ORDER BY l.version DESC LIMIT 1), "
    "w.status, w.version, w.settled_at, o.index_entries "
    "FROM (SELECT position, number, version, at FROM journal "
    "WHERE position > $1::bigint ORDER BY position LIMIT $2::bigint) j "
    "LEFT JOIN orders o ON o.number = j.number LEFT JOIN work w ON w.number = j.number "
    "LEFT JOIN tombstones t ON t.number = j.number ORDER BY j.position";
// $1: slots, $2: values. The orders, and then the slot and the value.
extern const std::string holders_of_values;
// $1: ids, also of orders that were deleted. By id, oldest first.
inline constexpr const char* entries_of_orders =
    "SELECT n.order_id, j.snapshot FROM (SELECT order_id, number FROM orders "
    "WHERE order_id = ANY($1::bytea[]) UNION ALL SELECT order_id, number FROM tombstones "
    "WHERE order_id = ANY($1::bytea[])) n JOIN journal j ON j.number = n.number "
    "ORDER BY n.order_id, j.version";
inline constexpr const char* records_about =
    "SELECT about, collection, key FROM records WHERE about = ANY($1::bytea[]) AND about <> ''";
// $1: names.
inline constexpr const char* cursors_by_name =
    "SELECT name, owner, epoch, position, expires_at, moved_at FROM cursors "
    "WHERE name = ANY($1::bytea[])";
inline constexpr const char* all_cursors =
    "SELECT name, owner, epoch, position, expires_at, moved_at FROM cursors ORDER BY name";
// $1: collections, $2: keys.
inline constexpr const char* records_by_name =
    "SELECT r.collection, r.key, r.value, r.version, r.due_at, r.about "
    "FROM unnest($1::bytea[], $2::bytea[]) t(collection, key) "
    "JOIN records r ON r.collection = t.collection AND r.key = t.key";

// The parameters of content_columns.
inline constexpr const char* insert_orders =
    "INSERT INTO orders(number, order_id, user_id, tenant, amount, currency, created_at, item_ids, "
    "metadata, extra, index_entries) SELECT t.number, t.order_id, t.user_id, t.tenant, t.amount, "
    "t.currency, t.created_at, t.item_ids::bigint[], t.metadata, t.extra, t.index_entries "
    "FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::text[], "
    "$7::bigint[], $8::text[], $9::bytea[], $10::bytea[], $11::bytea[]) t(number, order_id, "
    "user_id, tenant, amount, currency, created_at, item_ids, metadata, extra, index_entries)";
inline constexpr const char* update_orders =
    "UPDATE orders o SET user_id = t.user_id, tenant = t.tenant, amount = t.amount, "
    "currency = t.currency, item_ids = t.item_ids::bigint[], metadata = t.metadata, "
    "extra = t.extra, index_entries = t.index_entries FROM unnest($1::bigint[], $2::bytea[], "
    "$3::bytea[], $4::bytea[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::bytea[], "
    "$10::bytea[], $11::bytea[]) t(number, order_id, user_id, tenant, amount, currency, "
    "created_at, item_ids, metadata, extra, index_entries) WHERE o.number = t.number";
// The parameters of work_columns.
inline constexpr const char* insert_work =
    "INSERT INTO work(number, status, version, attempts, updated_at, next_attempt_at, "
    "first_claimed_at, settled_at, lease, leased, due_at, span, expired_leases, worker_id, "
    "last_error, traceparent) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], "
    "$4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], "
    "$10::boolean[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[], $15::bytea[], "
    "$16::bytea[])";
inline constexpr const char* update_work =
    "UPDATE work w SET status = t.status, version = t.version, attempts = t.attempts, "
    "updated_at = t.updated_at, next_attempt_at = t.next_attempt_at, "
    "first_claimed_at = t.first_claimed_at, settled_at = t.settled_at, lease = t.lease, "
    "leased = t.leased, due_at = t.due_at, span = t.span, expired_leases = t.expired_leases, "
    "worker_id = t.worker_id, last_error = t.last_error, traceparent = t.traceparent "
    "FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], "
    "$6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::boolean[], $11::bigint[], "
    "$12::bigint[], $13::bigint[], $14::bytea[], $15::bytea[], $16::bytea[]) t(number, status, "
    "version, attempts, updated_at, next_attempt_at, first_claimed_at, settled_at, lease, leased, "
    "due_at, span, expired_leases, worker_id, last_error, traceparent) "
    "WHERE w.number = t.number";
// $1: numbers.
inline constexpr const char* delete_orders = "DELETE FROM orders WHERE number = ANY($1::bigint[])";
inline constexpr const char* delete_work = "DELETE FROM work WHERE number = ANY($1::bigint[])";
inline constexpr const char* delete_entries =
    "DELETE FROM journal WHERE number = ANY($1::bigint[])";
// $1: slots, $2: values, $3: numbers.
inline constexpr const char* delete_index =
    "DELETE FROM order_index i USING unnest($1::bigint[], $2::bytea[], $3::bigint[]) "
    "t(slot, value, number) WHERE i.slot = t.slot AND i.value = t.value AND i.number = t.number";
// The same, $4: whether they are unique.
inline constexpr const char* insert_index =
    "INSERT INTO order_index(slot, value, number, is_unique) SELECT * FROM "
    "unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::boolean[])";
// $1: numbers, $2: versions, $3: snapshots.
inline constexpr const char* redact_entries =
    "UPDATE journal j SET snapshot = t.snapshot FROM unnest($1::bigint[], $2::bigint[], "
    "$3::bytea[]) t(number, version, snapshot) WHERE j.number = t.number AND "
    "j.version = t.version";
// $1: ids of orders.
inline constexpr const char* delete_records_about =
    "DELETE FROM records WHERE about = ANY($1::bytea[]) AND about <> ''";
// $1: ids, $2: numbers.
inline constexpr const char* bury =
    "INSERT INTO tombstones(order_id, number) SELECT * FROM unnest($1::bytea[], $2::bigint[])";
// The parameters of entry_rows.
inline constexpr const char* insert_entries =
    "INSERT INTO journal(position, number, version, event, from_status, status, actor, reason, "
    "traceparent, at, snapshot) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], "
    "$4::bytea[], $5::text[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bigint[], "
    "$11::bytea[])";
// The parameters of key_rows.
inline constexpr const char* insert_keys =
    "INSERT INTO keys(key, body, number, version, at) SELECT * FROM "
    "unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])";
// The parameters of cursor_row().
inline constexpr const char* set_cursor =
    "INSERT INTO cursors(name, owner, epoch, position, expires_at, moved_at) VALUES($1::bytea, "
    "$2::bytea, $3::bigint, $4::bigint, $5::bigint, $6::bigint) ON CONFLICT (name) DO UPDATE SET "
    "owner = excluded.owner, epoch = excluded.epoch, position = excluded.position, "
    "expires_at = excluded.expires_at, moved_at = excluded.moved_at";
inline constexpr const char* remove_cursor = "DELETE FROM cursors WHERE name = $1::bytea";
// The parameters of record_row().
inline constexpr const char* set_record =
    "INSERT INTO records(collection, key, value, version, due_at, about) VALUES($1::bytea, "
    "$2::bytea, $3::bytea, $4::bigint, $5::bigint, $6::bytea) ON CONFLICT (collection, key) "
    "DO UPDATE SET value = excluded.value, version = excluded.version, due_at = excluded.due_at, "
    "about = excluded.about";
inline constexpr const char* remove_record =
    "DELETE FROM records WHERE collection = $1::bytea AND key = $2::bytea";
// The parameters of totals_row().
inline constexpr const char* insert_totals =
    "INSERT INTO writes(id, stamp, number, position, floor, record_version, completed, "
    "processing_ms, statuses, orders, due_from, writer, sequence, at) VALUES($1::bigint, "
    "$2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint, "
    "$9::text[], $10::bigint[], $11::bigint[], $12::bytea, $13::bigint, $14::bigint)";

// $1: before, $2: how many.
inline constexpr const char* forget_keys =
    "DELETE FROM keys WHERE id = ANY(ARRAY(SELECT id FROM (SELECT id, at FROM keys ORDER BY id "
    "LIMIT $2::bigint) oldest WHERE at < $1::bigint))";
// $1: now, $2: after, $3: how many.
inline constexpr const char* date_keys =
    "UPDATE keys SET at = $1::bigint WHERE id = ANY(ARRAY(SELECT id FROM (SELECT id, at FROM keys "
    "ORDER BY id LIMIT $3::bigint) oldest WHERE at > $2::bigint))";
inline constexpr const char* forget_writers = "DELETE FROM writes WHERE at < $1::bigint";
inline constexpr const char* date_writers =
    "UPDATE writes SET at = $1::bigint WHERE at > $2::bigint";
// $1: writer, $2: before.
inline constexpr const char* forget_writes =
    "DELETE FROM writes WHERE writer = $1::bytea AND id < $2::bigint";
// $1: writer.
inline constexpr const char* last_of_writer =
    "SELECT sequence FROM writes WHERE writer = $1::bytea ORDER BY id DESC LIMIT 1";

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
