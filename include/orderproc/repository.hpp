#ifndef ORDERPROC_REPOSITORY_HPP
#define ORDERPROC_REPOSITORY_HPP

// Where orders live. Implement storage and repository to add a database, then
// run testing::storage_cases() against them. The rules of orders are not yours to
// write: evaluate() has them; a repository reads, asks it, and stores what it says.

#include <orderproc/capability.hpp>
#include <orderproc/claim.hpp>
#include <orderproc/cursor.hpp>
#include <orderproc/journal.hpp>
#include <orderproc/purge.hpp>
#include <orderproc/queries.hpp>
#include <orderproc/record.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct record_guard {
    std::string_view collection;
    std::string_view key;
    std::uint64_t version = 0;
};

// One durable transaction. Changes first, then claims, which may take what the changes made, then
// cursors, records and purges; claims and what comes after them in the order given.
struct write_params {
    timestamp now;
    std::string_view writer;     // who writes (1 to 200 bytes)…
    std::uint64_t sequence = 0;  // …and which of its writes this is: see was_applied()
    std::span<const change> changes;
    std::span<const claim> claims;
    std::span<const commit_cursor> cursors;
    // Deletes up to forget_max idempotency keys and writer records older than forget_before, oldest
    // first; their age is params.now of the write that stored them (see also ahead_of()). A write
    // that changes nothing else need not delete any. Writer records are few: they may be deleted
    // all at once, and only at the first such write of a connection.
    timestamp forget_before = timestamp::min();
    std::size_t forget_max = 0;
    // REQUIRES: validate() accepts each; capability::records, unless empty.
    std::span<const change_record> records = {};
    // REQUIRES: the same; capability::purge, unless empty.
    std::span<const purge_orders> purges = {};
    // What the whole write depends on: unless the record has this version (0: unless it is not
    // there), nothing is written and the call fails with errc::model_changed. REQUIRES:
    // capability::records, unless there is none.
    std::optional<record_guard> guard = {};
};

struct write_results {  // made by the caller, with one new element for each parameter
    std::span<change_outcome> changes;
    std::span<claim_outcome> claims;
    std::span<cursor_outcome> cursors;
    std::span<record_outcome> records = {};
    std::span<purge_outcome> purges = {};
};

// One connection that only reads, used by one thread at a time. Calls block. An adapter reads no
// clock, starts no thread, does not retry and does not reconnect: it returns errc::unavailable and
// its owner builds a new one. Every method sees every write that was answered before it was called,
// and the whole of each write or nothing of it.
class ORDERPROC_EXPORT repository_reader {
public:
    repository_reader() = default;
    virtual ~repository_reader() = default;
    repository_reader(const repository_reader&) = delete;
    repository_reader& operator=(const repository_reader&) = delete;

    virtual result<loaded_orders> load(const load_params& params) = 0;
    // A page costs the same wherever it starts, and inserts never make it skip or repeat. Sorted by
    // due_at it may: an order that becomes due at another time moves.
    //
    // errc::not_supported: the storage cannot sort in that way, or select by id_prefix, or count.
    virtual result<order_page> list(const list_params& params) = 0;
    // Oldest first. Empty: there never was such an order, or it was purged.
    virtual result<std::vector<journal_entry>> history(const history_params& params) = 0;
    // A total order, in which the entries of one order ascend by version and nothing ever
    // appears at or below a position already returned.
    virtual result<feed_page> read_feed(const feed_params& params) = 0;
    // The position after which every entry has this time or a later one, and up to which no entry
    // has: times never run backwards along the feed. Never below feed_page::oldest. Costs a few
    // dozen looks at single entries at most. errc::not_supported: the storage cannot.
    virtual result<feed_position> find_position(timestamp at);
    // Costs the same at ten orders and ten million.
    virtual result<statistics> count() = 0;
    // Where the cursor stands; nullopt: there is none of that name.
    virtual result<std::optional<feed_position>> find_cursor(std::string_view name) = 0;
    // All, by name. errc::not_supported: verify() judges none.
    virtual result<std::vector<named_cursor>> list_cursors() { return errc::not_supported; }

    // errc::not_supported: the storage does not have capability::records.
    virtual result<std::optional<record>> find_record(const find_record_params&);
    virtual result<record_page> list_records(const list_records_params&);
    virtual result<record_page> list_due_records(const list_due_records_params&);
};

// One connection that writes, and reads as a repository_reader does.
class ORDERPROC_EXPORT repository : public repository_reader {
public:
    // Applies each change in a way that looks as if they came in order, at
    // write_time(params.now, the latest stamp written before). A change, claim, cursor or record
    // succeeds or is refused on its own (its ec). For each change: first its idempotency key,
    // then evaluate().
    //
    // - A key seen before with the same body: nothing is done; ec 0, replayed, and the order as
    //   that first change left it (from the journal). With another body: idempotency_mismatch,
    //   without an order, since the key may have been used for an order that this principal must
    //   not see. not_found if the answer was purged. Only a change that succeeded stores its key.
    // - create_order: already_exists, with the order if it is still there, when the id was ever
    //   used, also by an order that was purged. Numbers ascend and are never given twice.
    // - attribute_taken: evaluate() accepts it, but another order has an index entry that is
    //   unique and that this change would add. With that order: see refuse_taken().
    // - redact_order: the entries that the order has in the journal are redacted too, and records
    //   that are about it go. An order that was deleted is judged by evaluate_deleted().
    //
    // The latest stamp is that of the last write that changed something: an order, a lease, a key,
    // a cursor, a record or the floor of the feed. A write in which everything was refused, was a
    // replay, or had nothing to do, leaves nothing behind, not even its time.
    //
    // A failure of the call means that nothing is durable and the results mean nothing. Only
    // errc::outcome_unknown differs: results are filled in, and count if was_applied() says so.
    //
    // REQUIRES: no two changes name the same order or the same idempotency key, so an
    // adapter may group and reorder them.
    virtual result<void> write(const write_params& params, write_results& results) = 0;

    // Is params.sequence of the writer's last durable write equal to this? Asked on a new
    // writer connection after outcome_unknown, before the writer writes again. Says false only
    // once that write can never become durable (its transaction is known to have ended); until
    // then errc::unavailable. A write that changed nothing need not be remembered.
    virtual result<bool> was_applied(std::string_view writer, std::uint64_t sequence) = 0;

    // Begins a new epoch of the journal, durably: entries that are written from now on have it,
    // those that are there keep theirs. Call it after the storage was put back to an earlier
    // state in a way that the storage could not notice by itself. It is harmless at any other
    // time: all positions that were given out stay valid.
    //
    // errc::invalid_argument: the epoch is 0 or this journal has had it already.
    // errc::not_supported: the storage does not have capability::epochs.
    virtual result<void> rotate_epoch(std::uint64_t epoch);

    // Housekeeping that write() put off because a reader was in the way, as of a log's space.
    // Called whenever nothing waits to be written; true: it is not done yet, call again within
    // seconds.
    virtual result<bool> tidy() { return false; }
};

struct storage_info {
    std::string name;             // "sqlite:orders.db"; never a secret
    std::size_t writers_max = 1;  // connections that may write at the same time
    bool durable = true;          // orders are there after the process ended
    // What opening it found that an operator should know, such as that it was restored.
    std::vector<std::string> remarks = {};
    capability_set capabilities = {};
};

// errc::not_supported if the storage lacks one of them. The detail names the storage, what is
// missing, and `by`, which needs it ("orderproc rotate-epoch").
ORDERPROC_EXPORT result<void> require(const storage_info& of, const capability_set& needed,
                                      std::string_view by);

// Tells of commits, also of other processes. wait() is called by one thread at a time.
class ORDERPROC_EXPORT commit_watch {
public:
    commit_watch() = default;
    virtual ~commit_watch() = default;
    commit_watch(const commit_watch&) = delete;
    commit_watch& operator=(const commit_watch&) = delete;

    // Blocks until somebody has committed since the last call (or since this was made): true,
    // and now and then when nobody has. False when the time is over, or after interrupt(), for
    // good.
    virtual result<bool> wait(std::chrono::milliseconds at_most) = 0;
    virtual void interrupt() noexcept = 0;  // from any thread
};

// Opens connections. Safe to use from any thread; outlives its connections.
class ORDERPROC_EXPORT storage {
public:
    storage() = default;
    virtual ~storage() = default;
    storage(const storage&) = delete;
    storage& operator=(const storage&) = delete;

    virtual storage_info info() const = 0;
    virtual result<std::unique_ptr<repository>> connect_writer() = 0;
    virtual result<std::unique_ptr<repository_reader>> connect_reader() = 0;

    // Brings to its place what write() left elsewhere for speed, so that the storage can be copied.
    // What was answered is durable without it. The destructor does it as well. Idempotent.
    // REQUIRES: all connections are gone; nothing but the destructor is called afterwards.
    virtual result<void> close() { return {}; }

    // errc::not_supported if nobody else can write, or if there is no way to hear of it. Then
    // workers find what others committed when they poll.
    virtual result<std::unique_ptr<commit_watch>> watch() { return errc::not_supported; }
};

}  // namespace v1
}  // namespace orderproc

#endif
