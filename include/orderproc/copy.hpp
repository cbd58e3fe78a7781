#ifndef ORDERPROC_COPY_HPP
#define ORDERPROC_COPY_HPP

// All that a storage holds, moved into another one that is empty: from SQLite to PostgreSQL, say.
// Ids, numbers, versions and positions stay, so clients, followers and cursors go on as if nothing
// had happened.

#include <orderproc/adapter.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct copied_key {
    idempotency once;
    std::int64_t number = 0;   // of the order that the answer to it shows…
    order_version version{0};  // …and in which version
    timestamp at;
};
struct copied_name {  // of an order that was deleted: it stays taken
    std::string id;
    std::int64_t number = 0;
};
struct copied_cursor {
    std::string name;
    stored_cursor it;
};
struct copied_record {
    std::string collection;
    record it;
};

// Some of what a storage holds.
struct storage_part {
    std::vector<stored_order> orders;
    std::vector<journal_entry> entries;  // also those below the floor of the feed
    std::vector<copied_key> keys;
    std::vector<copied_name> names;
    std::vector<copied_cursor> cursors;
    std::vector<copied_record> records;
};

// What all writes came to.
struct storage_totals {
    std::vector<journal_epoch> epochs;   // oldest first; never empty
    timestamp stamp = timestamp::min();  // the latest time that was recorded
    std::int64_t number = 0;             // the latest that an order was given
    std::uint64_t position = 0;          // offset of the latest entry of the journal
    std::uint64_t floor = 0;             // the feed begins behind this offset
    std::uint64_t record_version = 0;    // the latest that a record was given
    std::uint64_t completed = 0;
    std::chrono::milliseconds processing_time{0};
    std::map<order_status, std::uint64_t> statuses;  // how many orders are in each; none: left out
};

// The sum of many amounts in minor units: high * 1,000,000,000 + low, which cannot overflow.
struct amount_sum {
    std::uint64_t orders = 0;
    std::int64_t high = 0;
    std::int64_t low = 0;
    friend bool operator==(const amount_sum&, const amount_sum&) = default;
};
// "14999"
ORDERPROC_EXPORT std::string to_string(const amount_sum& sum);

// How much there is, counted row by row.
struct storage_tally {
    std::uint64_t orders = 0;
    std::uint64_t entries = 0;
    std::uint64_t keys = 0;
    std::uint64_t names = 0;
    std::uint64_t cursors = 0;
    std::uint64_t records = 0;
    std::map<order_status, std::uint64_t> statuses;
    std::map<std::string, amount_sum> amounts;  // by currency
    friend bool operator==(const storage_tally&, const storage_tally&) = default;
};

// Where it comes from. As long as it exists nobody else writes there. Used by one thread at a time.
class ORDERPROC_EXPORT storage_source {
public:
    storage_source() = default;
    virtual ~storage_source() = default;
    storage_source(const storage_source&) = delete;
    storage_source& operator=(const storage_source&) = delete;

    virtual result<storage_totals> totals() = 0;
    virtual result<storage_tally> count() = 0;
    // A part that was not given yet: orders by number, entries by position, keys oldest first. None
    // when all were given.
    virtual result<std::optional<storage_part>> next() = 0;
};

// Where it goes: one transaction, from begin() to commit(). If it is destroyed before, or the
// process is killed, nothing of it is there. Used by one thread at a time.
class ORDERPROC_EXPORT storage_target {
public:
    storage_target() = default;
    virtual ~storage_target() = default;
    storage_target(const storage_target&) = delete;
    storage_target& operator=(const storage_target&) = delete;

    // errc::already_exists: it is not empty.
    virtual result<void> begin(const storage_totals& totals) = 0;
    virtual result<void> add(const storage_part& part) = 0;
    virtual result<storage_tally> count() = 0;
    // errc::outcome_unknown: look whether it is still empty.
    virtual result<void> commit() = 0;
};

// Copies everything, compares the counts and the sums of each currency, and commits. progress, if
// given, is called after each part with the orders and entries so far.
//
// errc::already_exists: the target is not empty. errc::corrupt: they do not agree, and nothing was
// kept. Otherwise what the two answer.
ORDERPROC_EXPORT result<storage_tally> copy_storage(
    storage_source& from, storage_target& to,
    const std::function<void(const storage_tally& so_far, const storage_tally& all)>& progress =
        {});

}  // namespace v1
}  // namespace orderproc

#endif
