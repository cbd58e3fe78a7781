#ifndef ORDERPROC_STORAGE_SQLITE_EPOCHS_HPP
#define ORDERPROC_STORAGE_SQLITE_EPOCHS_HPP

// The chain of epochs of the journal (journal.hpp) as rows.

#include "statement.hpp"

#include <orderproc/journal.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

inline constexpr const char* all_epochs = "SELECT epoch, first FROM epochs ORDER BY id";

// A number that no other journal has, as far as chance goes; not 0.
std::uint64_t make_epoch();

// The rows of all_epochs. Never empty: one without an epoch if the connection has failed.
std::vector<journal_epoch> read_epochs(connection& db, statement& all);

result<feed_position> newest_position(connection& db);

// Begins an epoch behind the newest entry, of this number or else of one that it makes; answers
// which. REQUIRES: the write lock is held and no transaction is open.
result<std::uint64_t> begin_epoch(connection& db, std::optional<std::uint64_t> wanted = {});

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
