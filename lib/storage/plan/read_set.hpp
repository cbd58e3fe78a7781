#ifndef ORDERPROC_STORAGE_PLAN_READ_SET_HPP
#define ORDERPROC_STORAGE_PLAN_READ_SET_HPP

// What a database has to be asked before a write can be planned, and what it answered. A storage
// with a language for queries reads all of it at once, by one statement for each member.

#include <orderproc/adapter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::plan {

struct record_name {
    std::string collection;
    std::string key;
    friend auto operator<=>(const record_name&, const record_name&) = default;
};

// The first so many entries of the index of this status by due time and number.
struct due_prefix {
    order_status status;
    std::size_t rows = 0;
};

// What can be read before anything else is known.
struct read_set {
    std::vector<std::string> ids;      // of orders, each once
    std::vector<std::string> new_ids;  // those of them that are to be created: may be taken
    std::vector<digest> keys;          // idempotency keys, each once
    std::vector<due_prefix> due;       // each status once
    std::vector<std::string> cursors;  // by name, each once; of none if all are read
    bool all_cursors = false;
    std::vector<record_name> records;  // each once
    // Of orders to be redacted, also of those that were deleted: all of their entries in the
    // journal, and all records that are about them.
    std::vector<std::string> redacted;
};
read_set reads_of(const write_params& params);

// A value that no two orders have.
struct unique_value {
    std::uint8_t slot = 0;
    std::string value;
    friend auto operator<=>(const unique_value&, const unique_value&) = default;
};

// What can be read only when the rest is known; for most writes nothing.
struct later_reads {
    std::vector<unique_value> values;  // each once: which orders have them?
    std::vector<due_range> ranges;     // in the order in which claims look at them
    std::size_t walk = 0;  // entries of the journal from behind the floor of the feed on
};

struct status_totals {
    std::int64_t orders = 0;
    timestamp due_from = timestamp::max();  // no order in this status is due before
    friend bool operator==(const status_totals&, const status_totals&) = default;
};

// What all writes came to, up to the latest.
struct totals {
    timestamp stamp = timestamp::min();  // the latest time that was recorded
    std::int64_t number = 0;             // the latest that an order was given
    std::uint64_t position = 0;          // offset of the latest entry of the journal
    std::uint64_t floor = 0;             // the feed begins behind this offset
    std::uint64_t record_version = 0;    // the latest that a record was given
    std::uint64_t completed = 0;
    std::chrono::milliseconds processing_time{0};
    std::map<order_status, status_totals> statuses;  // a status without orders may be left out
};

struct used_key {
    digest body{};
    std::optional<order> answer;  // from the journal; none: it was purged
};

// An entry of the journal that a purge may pass, and what has become of its order since.
struct walked_entry {
    std::uint64_t position = 0;
    std::int64_t number = 0;
    order_version version{0};
    timestamp at;
    std::string id;           // of its order
    order_version latest{0};  // of the order's entries
    // As far as a purge needs it: id, status, version and settled_at. None: it is not there.
    std::optional<order> current = {};
    std::vector<index_entry> index = {};  // its own
};

// What was found of a read_set and of later_reads.
struct found_rows {
    totals sums;
    std::vector<journal_epoch> epochs;  // oldest first; never empty
    // Those of ids, those of a due_prefix that are due at or before the write's stamp, those of the
    // ranges, and those that have one of the values. An order may be there more than once.
    std::vector<stored_order> orders;
    std::vector<std::string> buried;  // those of new_ids whose order is not there any more
    std::map<digest, used_key> keys;
    // What is there of each due_prefix; an entry for each of them, if only an empty one.
    std::map<order_status, std::vector<due_position>> due;
    std::vector<std::vector<due_position>> ranges;  // of later_reads::ranges
    std::map<std::string, stored_cursor, std::less<>> cursors;
    std::map<record_name, record> records;
    std::vector<walked_entry> walk;
    std::map<unique_value, std::int64_t> holders;  // numbers of the orders that have the values
    // By the ids of read_set::redacted, of those that there ever were: the entries, oldest first…
    std::map<std::string, std::vector<order>, std::less<>> entries;
    // …and the records.
    std::map<std::string, std::vector<record_name>, std::less<>> about;
};

later_reads later_reads_of(const write_params& params, const found_rows& found);

// Whether the record that the write depends on is as it should be; if not, nothing of it is done.
bool is_admitted(const write_params& params, const found_rows& found);

}  // namespace detail::plan
}  // namespace v1
}  // namespace orderproc

#endif
