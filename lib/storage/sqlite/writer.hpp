#ifndef ORDERPROC_STORAGE_SQLITE_WRITER_HPP
#define ORDERPROC_STORAGE_SQLITE_WRITER_HPP

// The writing half: one transaction of changes, claims, cursor moves, records and purges.

#include "index_table.hpp"
#include "record_table.hpp"
#include "statement.hpp"

#include <orderproc/adapter.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

class writer {
public:
    explicit writer(connection& db);

    // REQUIRES: the write lock is held. After errc::outcome_unknown the connection is done for.
    result<void> write(const write_params& params, write_results& results);
    // The same within a transaction that the caller has begun: on failure nothing is left of it.
    result<void> write_within(const write_params& params, write_results& results);
    bool appended() const noexcept { return appended_; }  // did the latest write, to the journal?
    bool redacted() const noexcept { return redacted_; }  // the same, something that is there
    feed_position newest() const noexcept {               // as of the latest write
        return {sums_.epoch, static_cast<std::uint64_t>(sums_.position)};
    }

private:
    // The row of that name: read when a transaction begins, since another process may have
    // written, and stored when it ends.
    struct totals {
        std::uint64_t epoch = 0;
        std::int64_t number = 0;
        std::int64_t position = 0;
        timestamp last_write_at;
        std::int64_t removed = 0;  // ids in tombstones
        std::int64_t completed = 0;
        std::int64_t processing_ms = 0;
        std::int64_t floor = 0;  // of the feed; stored by a purge
    };

    void apply_all(const write_params& params, write_results& results);
    void begin(const write_params& params);
    void end(const write_params& params);
    void expect(const record_guard& guard);

    void apply(const change& what, change_outcome& out);  // an empty one
    void create(const change& what, change_outcome& out);
    void modify(const change& what, change_outcome& out);
    bool replay(const idempotency& once, change_outcome& out);
    void keep_key(const idempotency& once, const order& after);
    void refuse_for(std::int64_t holder, const change& what, const evaluation& wanted,
                    change_outcome& out);
    void redact_deleted(const change& what, change_outcome& out);
    void redact_entries(const change& what, std::int64_t number);
    std::optional<stored_order> find(std::string_view id);
    std::optional<stored_order> find(std::int64_t number);

    bool insert(const stored_order& it);
    std::optional<blob> extra_of(const stored_order& it);
    void store(const evaluation& what, const change* by);
    void bury(std::string_view id, std::int64_t number);
    void append(const evaluation& what);
    void forget(const write_params& params);
    void count(order_status status, std::int64_t by);

    claim_outcome apply(const claim& what);
    std::vector<stored_order> candidates(const claim& what);
    std::vector<stored_order> in_range(const due_range& range);
    std::vector<stored_order> named(const claim& what);
    std::optional<timestamp> first_due(const work_stage& stage);
    cursor_outcome apply(const commit_cursor& what);
    purge_outcome apply(const purge_orders& what, const write_params& params);
    struct passed_entry;
    std::vector<passed_entry> passed(purge_bounds& bounds, std::size_t limit);
    purge_bounds bounds_of(const purge_orders& what, const write_params& params);
    void purge(const passed_entry& last, purge_outcome& out);
    order_version latest_version(std::int64_t number);

    connection& db_;
    statement begin_;
    statement commit_;
    statement totals_;
    statement set_totals_;
    statement set_sequence_;
    statement oldest_key_;
    statement forget_keys_;
    statement forget_writers_;
    statement date_keys_;
    statement date_writers_;
    statement add_count_;
    statement find_;
    statement find_number_;
    statement insert_;
    statement update_;
    statement update_fields_;
    statement update_lease_;
    statement update_extra_;
    statement remove_;
    statement bury_;
    statement buried_;
    statement append_;
    statement find_key_;
    statement keep_key_;
    statement snapshot_;
    statement snapshots_;
    statement set_snapshot_;
    statement due_;
    statement in_range_;
    statement first_due_;
    statement cursor_;
    statement set_cursor_;
    statement remove_cursor_;
    statement cursors_;
    statement epochs_;
    statement walk_;
    statement remove_entries_;
    statement has_entries_;
    statement set_floor_;
    statement last_buried_;
    index_table index_;
    record_table records_;

    write_time at_{timestamp{}};
    bool dirty_ = false;  // the write under way has changed something
    bool appended_ = false;
    bool redacted_ = false;
    bool forgot_writers_ = false;
    totals sums_;
    std::vector<std::pair<order_status, std::int64_t>> counts_;  // what to add at the end
    std::string buried_max_;  // the last of the tombstones: an id behind it is in none
    std::string buffer_;
    std::string extra_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
