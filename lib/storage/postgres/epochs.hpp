#ifndef ORDERPROC_STORAGE_POSTGRES_EPOCHS_HPP
#define ORDERPROC_STORAGE_POSTGRES_EPOCHS_HPP

// The chain of epochs of the journal (journal.hpp) as rows, and the timelines of the server: when a
// standby is promoted, it begins a new one (postgresql.org/docs/15/continuous-archiving.html).

#include "storage/postgres/connection.hpp"

#include <orderproc/journal.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// epochs.lost: so many entries that somebody had seen were not there when the epoch began, and
// nobody has said since that workers may go on. Mostly 0.
inline constexpr const char* all_epochs = "SELECT epoch, first, lost FROM epochs ORDER BY id";
// The present timeline; an error on a standby. The control file tells it too late.
inline constexpr const char* timeline_sql =
    "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint";

// The rows of all_epochs. errc::corrupt if there is none.
result<std::vector<journal_epoch>> read_epochs(const rows& all);

// A number that no other journal has, as far as chance goes; not 0.
std::uint64_t make_epoch();

// Of a new journal.
std::string first_epoch_sql();

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

// The sum of epochs.lost.
std::uint64_t lost_in(const rows& all_epochs);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
