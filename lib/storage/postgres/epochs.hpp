#ifndef ORDERPROC_STORAGE_POSTGRES_EPOCHS_HPP
#define ORDERPROC_STORAGE_POSTGRES_EPOCHS_HPP

// The chain of epochs of the journal (journal.hpp) as rows, and the timelines of the server: when a
// standby is promoted, it begins a new one (postgresql.org/docs/15/continuous-archiving.html).

#include "storage/postgres/transaction.hpp"

#include <orderproc/journal.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// The present timeline; an error on a standby. The control file tells it too late.
inline constexpr const char* timeline_sql =
    "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint";

// Reads the chain, oldest first, and the sum of epochs.lost: so many entries that somebody had seen
// were not there when an epoch began, and nobody has said since that workers may go on. Mostly 0.
// errc::corrupt if there is no epoch.
void ask_epochs(questions& to, std::vector<journal_epoch>& out, std::uint64_t* lost = nullptr);

// A number that no other journal has, as far as chance goes; not 0.
std::uint64_t make_epoch();

// Of a new journal.
std::string first_epoch_sql();

// Whether a promoted standby has the journal, and what a new epoch needs to know.
struct epoch_state {
    std::vector<journal_epoch> chain;
    std::uint64_t newest = 0;
    bool another_timeline = false;
};
void ask_epoch_state(questions& to, epoch_state& out);
// Adds the statement that begins an epoch, behind ask_epoch_state() in a transaction that has the
// write lock. errc::invalid_argument: it is 0 or there already.
result<void> add_epoch_row(connection& to, epoch_state& known, std::uint64_t epoch);

// The same at once, of a number that it makes.
result<void> begin_epoch_within(connection& db, epoch_state& known);

struct epoch_wish {
    std::optional<std::uint64_t> epoch = {};  // of this number, in any case
    std::uint64_t lost = 0;                   // entries that are known to be missing
};

// Begins an epoch behind the newest entry if one is wished for, if entries are missing, or if the
// server has another timeline than the last epoch; in the latter cases unless somebody else has
// begun it. Entries that are missing are noted with the newest epoch. errc::outcome_unknown is
// possible.
result<void> begin_epoch(connection& db, const epoch_wish& wish);

// Workers may go on after a loss. errc::outcome_unknown is possible.
result<void> forget_losses(connection& db);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
