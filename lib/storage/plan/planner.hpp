#ifndef ORDERPROC_STORAGE_PLAN_PLANNER_HPP
#define ORDERPROC_STORAGE_PLAN_PLANNER_HPP

// One write, planned without a database: from what was read, it makes the outcomes and what is to
// be stored. It keeps the orders that the write has touched in front of those that were read, so
// that what comes later in the write sees what came before.

#include "storage/plan/read_set.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::plan {

struct new_entry {  // of the journal, at the write's stamp
    std::uint64_t position = 0;
    std::int64_t number = 0;
    order_version version{0};
    std::string event;
    std::optional<order_status> from;
    order_status status;
    std::string actor;
    std::string reason;
    std::string traceparent;
    std::string snapshot;  // the order, encoded
};

struct new_key {
    idempotency once;
    std::int64_t number = 0;
    order_version version{0};
};

struct redacted_entry {  // takes the place of the order in an entry that is there
    std::int64_t number = 0;
    order_version version{0};
    std::string snapshot;
};

struct order_name {
    std::int64_t number = 0;
    std::string id;
};

// What is to be stored. Pointers lead into the planner.
struct write_set {
    bool changed = false;  // else nothing is, not even the totals
    write_time at{timestamp{}};
    totals sums;
    std::vector<const stored_order*> created;
    std::vector<const stored_order*> edited;  // their contents have changed
    std::vector<const stored_order*> moved;   // the rest of them has; not those created
    std::vector<order_name> removed;          // rows that go; their ids stay taken
    std::vector<order_name> purged;           // all of their entries go, and records about them
    std::vector<redacted_entry> redacted;
    std::vector<std::pair<std::int64_t, index_entry>> unindexed,
        indexed;  // by number; before, after
    std::vector<new_entry> entries;
    std::vector<new_key> keys;
    std::map<std::string, std::optional<stored_cursor>, std::less<>> cursors;  // none: it goes
    std::map<record_name, std::optional<record>> records;                      // the same
};

class planner {
public:
    // REQUIRES: found is what reads_of() and later_reads_of() of these parameters asked for, and
    // is_admitted() says yes.
    planner(const write_params& params, found_rows found);

    // Fills in the outcomes. Once.
    void run(write_results& results);
    // After run(). Valid as long as this planner and the parameters.
    const write_set& result() const noexcept { return out_; }

private:
    struct row {
        stored_order it;
        std::vector<index_entry> index = {};  // as it was read
        bool is_new = false;                  // made by this write
        bool touched = false;                 // not as it was read
        bool edited = false;                  // its content or its index entries
        bool removed = false;
    };

    void apply(const change& what, change_outcome& out);
    void create(const change& what, change_outcome& out);
    void modify(const change& what, change_outcome& out);
    void redact_deleted(const change& what, change_outcome& out);
    void redact(const change& what, std::int64_t number);
    void take_values(const stored_order& it);
    const stored_order* find_holder(const evaluation& wanted, const row* current) const;
    bool replay(const idempotency& once, change_outcome& out) const;
    claim_outcome apply(const claim& what);
    cursor_outcome apply(const commit_cursor& what);
    record_outcome apply(const change_record& what);
    purge_outcome apply(const purge_orders& what);
    void purge(const walked_entry& last, purge_outcome& out);

    row* find(std::string_view id);
    void touch(row& it);
    void append(const evaluation& what, const stored_order& after);
    void count(const evaluation& what, const order& after);
    void reindex(std::int64_t number, const std::vector<index_entry>& before,
                 const std::vector<index_entry>& after);
    std::vector<std::int64_t> candidates(const claim& what, claim_selection& selection,
                                         claim_outcome& out);
    std::vector<due_position> first_of(const due_range& range,
                                       const std::vector<due_position>& there) const;
    std::optional<timestamp> first_due(order_status status) const;
    std::vector<named_cursor> cursors() const;
    std::optional<stored_cursor> find_cursor(std::string_view name) const;
    std::uint64_t epoch() const { return found_.epochs.back().epoch; }
    void finish();

    const write_params& params_;
    found_rows found_;
    write_set out_;
    std::map<std::string, std::int64_t, std::less<>> numbers_;  // of all orders known
    std::map<std::int64_t, row> rows_;
    std::vector<std::int64_t> touched_;  // in the order of the first touch
    std::size_t ranges_seen_ = 0;
    const std::uint64_t first_floor_;
};

}  // namespace detail::plan
}  // namespace v1
}  // namespace orderproc

#endif
