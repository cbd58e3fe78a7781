#ifndef ORDERPROC_STORAGE_POSTGRES_WRITER_HPP
#define ORDERPROC_STORAGE_POSTGRES_WRITER_HPP

// The writing half: what the planner asks for, in one round trip, and what it has planned, in
// another one.

#include "storage/plan/planner.hpp"
#include "storage/postgres/repository.hpp"
#include "storage/postgres/transaction.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// errc::unavailable if they differ by more than that; 0: by anything.
result<void> compare_clocks(timestamp ours, timestamp theirs, std::chrono::milliseconds most);

class writer {
public:
    // Of a server with this timeline. brief: it may be gone after one write, so it cleans up at
    // the first one.
    writer(connection& db, std::int64_t timeline, shared_state& shared, bool brief = false)
        : db_(db),
          timeline_(timeline),
          shared_(shared),
          stored_(brief ? cleaning_interval - 1 : 0) {}

    result<void> write(const write_params& params, write_results& results);
    // REQUIRES: a transaction is open and has the write lock; it stays so. On failure it is to be
    // rolled back.
    result<void> write_within(const write_params& params, write_results& results);

private:
    // Every so manieth write deletes the rows of its writer in the table writes, but for the last
    // ones of the table: what was deleted there would be in the way of all who look for the latest.
    static constexpr std::uint64_t cleaning_interval = 64;

    // locked: in a transaction that it begins and that has the write lock. within: in one that
    // does.
    enum class access : std::uint8_t { locked, within, snapshot };

    result<plan::found_rows> read(const write_params& params, access how);
    result<void> plan_and_store(const write_params& params, plan::found_rows found,
                                write_results& results);
    bool pauses(const write_params& params) const;
    bool tells_of_pause(timestamp now);
    result<bool> waits(const write_params& params, claim_outcome& out);
    result<bool> finds_nothing(const write_params& params, write_results& results);
    result<void> read_later(const write_params& params, plan::found_rows& found);
    void ask_totals(questions& about, const write_params& params, plan::found_rows& found);
    void ask_orders(questions& about, const plan::read_set& wanted, plan::found_rows& found);
    void ask_due(questions& about, const write_params& params, const plan::due_prefix& wanted,
                 plan::found_rows& found);
    void ask_redacted(questions& about, const plan::read_set& wanted, plan::found_rows& found);
    void ask_holders(questions& about, const plan::later_reads& wanted, plan::found_rows& found);
    void ask_rest(questions& about, const plan::read_set& wanted, plan::found_rows& found);

    // A statement that should change so many rows; negative: any number.
    void add(std::string_view sql, parameters with, std::int64_t rows = -1);
    void add_all(const write_params& params, const plan::write_set& what);
    result<void> check(const write_params& params, const std::vector<rows>& done);
    void add_orders(const plan::write_set& what);
    void add_entries(const plan::write_set& what);
    void add_index(const plan::write_set& what);
    void add_redactions(const plan::write_set& what);
    void add_keys(const plan::write_set& what);
    void add_cursors_and_records(const plan::write_set& what);
    void add_forgetting(const write_params& params);
    void add_totals(const write_params& params, const plan::write_set& what);

    connection& db_;
    std::vector<std::int64_t> expected_;  // rows, of the statements added
    const std::int64_t timeline_;
    shared_state& shared_;
    std::int64_t latest_id_ = 0;  // of the table writes, under the lock
    std::uint64_t lost_ = 0;      // the sum of epochs.lost
    std::optional<timestamp> told_of_loss_;
    std::uint64_t stored_;  // writes
    std::optional<timestamp> oldest_key_;
    bool forgot_writers_ = false;
};

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
