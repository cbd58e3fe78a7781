#ifndef ORDERPROC_KV_HPP
#define ORDERPROC_KV_HPP

// Orders in any database that keeps bytes sorted by key and changes them in transactions (LMDB,
// RocksDB, FoundationDB…): a repository over such tables, so that an adapter is a transaction
// and a storage.

#include <orderproc/repository.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace orderproc {
inline namespace v1 {

// A database without tables of its own puts the number before each key.
enum class kv_table : std::uint8_t {
    orders,     // created_at and number → stored order
    ids,        // id of every order that ever was → its key in orders when it was there
    due,        // status, due_at and number → its key in orders
    journal,    // offset → entry
    versions,   // number and version → offset
    keys,       // idempotency key → body, number and version of the answer
    cursors,    // name → where it stands since when, who holds it until when
    writers,    // name → its last sequence, and when that was
    ages,       // when, and a key of keys or writers → nothing
    counters,   // name → number
    records,    // collection and key → record
    reminders,  // collection, due_at and key → nothing
    index,      // slot, value and number → its key in orders
    subjects,   // digest of an order's id, key of a record about it → nothing
};
inline constexpr std::size_t kv_table_count = 14;

// What repositories over such tables can do: storage_info::capabilities of a storage of them.
inline constexpr capability_set kv_capabilities{
    capability::epochs,    capability::records,   capability::purge,
    capability::id_lists,  capability::due_lists, capability::totals,
    capability::positions, capability::indexes,   capability::redaction};

// Keys compare byte by byte, unsigned. They have 1 to kv_key_size_max bytes; values may be empty.
inline constexpr std::size_t kv_key_size_max = 255;

// from <= key < until, in ascending order, or backwards in descending order.
struct kv_range {
    std::string_view from, until;
    bool backwards = false;
};

// One transaction: sees what was committed before it began, and its own changes. Used by one
// thread, within one call of the repository. Destroyed without commit() it leaves nothing.
class ORDERPROC_EXPORT kv_transaction {
public:
    kv_transaction() = default;
    virtual ~kv_transaction() = default;
    kv_transaction(const kv_transaction&) = delete;
    kv_transaction& operator=(const kv_transaction&) = delete;

    // The value, valid until the next change; nullopt: no such key.
    virtual result<std::optional<std::string_view>> get(kv_table of, std::string_view key) = 0;
    virtual result<void> put(kv_table of, std::string_view key, std::string_view value) = 0;
    virtual result<void> remove(kv_table of, std::string_view key) = 0;  // the key is there
    // Calls visit for each pair of the range until it says false. It does not come back in here.
    using visitor = std::function<bool(std::string_view key, std::string_view value)>;
    virtual result<void> walk(kv_table of, kv_range range, const visitor& visit) = 0;
    // Durable when it succeeds. errc::unavailable: it is not and will not be.
    // errc::outcome_unknown: nobody can tell; what is begun after it knows.
    virtual result<void> commit() = 0;
};

// Begins a transaction. One that may write keeps other writers out, of all processes, until it
// ends; where that takes long, errc::unavailable.
using kv_begin = std::function<result<std::unique_ptr<kv_transaction>>()>;

// Makes tables ready that have no orders yet, under an epoch (not 0) that no other journal has,
// and commits; does nothing to others'. errc::schema_mismatch: a later library made them.
ORDERPROC_EXPORT result<void> prepare_kv(kv_transaction& tables, std::uint64_t epoch);

// What storage::connect_writer() and connect_reader() return. begin makes transactions that may
// write, or do not.
ORDERPROC_EXPORT std::unique_ptr<repository> make_kv_repository(kv_begin begin);

}  // namespace v1
}  // namespace orderproc

#endif
