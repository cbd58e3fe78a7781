#ifndef ORDERPROC_STORAGE_MEMORY_TRANSACTION_HPP
#define ORDERPROC_STORAGE_MEMORY_TRANSACTION_HPP

// What the memory adapter keeps, and how one write changes it.

#include <orderproc/adapter.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace memory {

// Where an order stands in lists. created_at never runs backwards along the number.
struct place {
    timestamp created_at;
    std::int64_t number = 0;
    friend auto operator<=>(const place&, const place&) = default;
};

// A type of this namespace, which nobody exports: of std::pair<…, order_version>, whose types are
// all public, the tree of a map would be exported by whatever is linked with this library.
struct version_of_order {
    std::int64_t number = 0;
    order_version version{0};
    friend auto operator<=>(const version_of_order&, const version_of_order&) = default;
};

struct used_key {
    digest body{};
    std::uint64_t offset = 0;  // of the entry whose order is the answer
    timestamp at;
};

struct writer_mark {
    std::uint64_t sequence = 0;
    timestamp at;
};

// Small enough to be copied for each write.
struct totals {
    timestamp last = timestamp::min();  // the latest time written
    std::int64_t number = 0;            // the latest given
    std::uint64_t record_version = 0;   // the same
    std::map<order_status, std::uint64_t> orders;
    std::uint64_t completed = 0;
    std::chrono::milliseconds processing_time{0};
};

// Names sort by collection, then by key.
struct record_name {
    std::string collection;
    std::string key;
    friend auto operator<=>(const record_name&, const record_name&) = default;
};

using reminder = std::tuple<std::string, timestamp, std::string>;  // collection, due_at, key
using ranked = std::pair<timestamp, place>;
using due_key = std::tuple<order_status, timestamp, place>;
using index_key = std::tuple<std::uint8_t, std::string, std::int64_t>;  // slot, value, number
using subject = std::pair<std::string, record_name>;  // a record by its order's id

// Offset 1 and up. What a purge left of what is below the floor moves to older in time, so that
// the feed is a vector.
struct journal {
    std::map<std::uint64_t, journal_entry> older;
    std::vector<journal_entry> entries;  // from offset base + 1 on; purged ones are empty
    std::uint64_t base = 0;
    std::uint64_t floor = 0;  // the feed begins behind it; at least base

    std::uint64_t newest() const noexcept { return base + entries.size(); }
    const journal_entry* find(std::uint64_t offset) const;  // nullptr: it was purged
    const journal_entry& at(std::uint64_t offset) const { return *find(offset); }  // it is there
    void erase(std::uint64_t offset) noexcept;
    void replace(std::uint64_t offset, order&& after) noexcept;  // the order of an entry
    void compact() noexcept;
};

struct tables {
    std::map<std::string, place, std::less<>> ids;  // of every order that ever was
    std::map<place, stored_order> orders;
    std::set<due_key> due;
    std::map<index_key, place> index;
    std::vector<journal_epoch> epochs;  // oldest first
    memory::journal journal;
    std::map<version_of_order, std::uint64_t> versions;  // to offset
    std::map<digest, used_key> keys;
    std::set<std::pair<timestamp, digest>> keys_by_age;
    std::map<std::string, stored_cursor, std::less<>> cursors;
    std::map<std::string, writer_mark, std::less<>> writers;
    std::map<record_name, record> records;
    std::set<reminder> reminders;
    std::set<subject> subjects;
    totals sums;
};

// What one write makes of the tables, kept apart until commit().
class transaction {
public:
    transaction(tables& base, timestamp now)
        : base_(base), at_(now, base.sums.last), sums_(base.sums), floor_(base.journal.floor) {
        sums_.last = at_.stamp;
    }

    change_outcome apply(const change& what);
    claim_outcome apply(const claim& what);
    cursor_outcome apply(const commit_cursor& what);
    record_outcome apply(const change_record& what);
    purge_outcome apply(const purge_orders& what, const write_params& params);
    bool admits(const record_guard& guard) const;
    void commit(const write_params& params);

private:
    void forget(const write_params& params) noexcept;
    const place* find_place(std::string_view id) const;
    const stored_order* find(const place& at) const;
    const stored_order* find_holder(const index_entry& of, std::int64_t number) const;
    const stored_order* find_holder(const evaluation& wanted, const stored_order* current) const;
    std::optional<change_outcome> replay(const idempotency& once) const;
    result<evaluation> judge(const change& what, const place* known,
                             const stored_order* current) const;
    const journal_entry* last_entry(std::int64_t number) const;
    void store(const evaluation& what, const place& at);
    void reindex(std::span<const index_entry> before, std::span<const index_entry> after,
                 const place& at);
    void redact_entries(const change& what, std::int64_t number);
    void remove_records(const std::string& order);
    void purge(const journal_entry& last, purge_outcome& out);
    void erase_purged() noexcept;
    std::vector<named_cursor> cursors() const;
    std::vector<ranked> candidates(const claim& what, claim_selection& selection,
                                   claim_outcome& out) const;
    std::vector<place> in_range(const due_range& range) const;
    std::optional<timestamp> first_due(const work_stage& stage) const;
    std::uint64_t newest() const { return base_.journal.newest() + journal_.size(); }
    std::uint64_t epoch() const { return base_.epochs.back().epoch; }

    tables& base_;
    write_time at_;
    totals sums_;
    std::map<std::string, place, std::less<>> ids_;
    std::map<place, std::optional<stored_order>> touched_;  // none: removed
    std::map<index_key, place> added_;                      // to the index
    std::set<index_key> removed_;                           // from it
    std::map<std::uint64_t, order> redacted_;               // by the offset of their entries
    std::vector<journal_entry> journal_;
    std::map<digest, used_key> keys_;
    std::map<std::string, std::optional<stored_cursor>, std::less<>> cursors_;  // none: removed
    std::map<record_name, std::optional<record>> records_;                      // the same
    std::vector<std::int64_t> purged_;                                          // their numbers
    std::uint64_t floor_;
    bool changed_ = false;  // else there is nothing to remember, not even the time
};

}  // namespace memory
}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
