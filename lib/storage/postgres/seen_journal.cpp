#include "storage/postgres/seen_journal.hpp"

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

std::uint64_t entries_lost(const feed_position& seen, std::span<const journal_epoch> chain,
                           std::uint64_t newest) {
    if (seen.offset == 0) return 0;
    const auto own = std::find_if(chain.begin(), chain.end(),
                                  [&](const journal_epoch& it) { return it.epoch == seen.epoch; });
    // The epoch itself is lost: how much of it there was before this newest entry nobody knows.
    if (own == chain.end()) return seen.offset > newest ? seen.offset - newest : 1;
    const auto next = own + 1;
    const std::uint64_t last = next == chain.end() ? newest : next->first - 1;
    return seen.offset > last ? seen.offset - last : 0;
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
