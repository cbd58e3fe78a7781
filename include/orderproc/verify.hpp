#ifndef ORDERPROC_VERIFY_HPP
#define ORDERPROC_VERIFY_HPP

// Does a storage keep its promises? Reads the whole of it.

#include <orderproc/repository.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace orderproc {
inline namespace v1 {

struct verify_report {
    std::uint64_t entries = 0;
    std::uint64_t orders = 0;
    std::optional<std::string> difference;  // the first that was found, for people
};

// Folds the journal (positions without gaps, versions of an order dense, every move allowed by
// the machine, final statuses final, complete at most once) and compares it with the orders,
// the counts, and where the cursors stand. Of what was purged it expects that it is gone: the feed
// is judged from its floor on, and orders that are older by their histories. Needs some 70 bytes
// of memory an order.
//
// REQUIRES: nobody writes meanwhile. progress, if given, is called every few thousand entries,
// then every few thousand orders.
ORDERPROC_EXPORT result<verify_report> verify(
    repository_reader& from, const status_machine& machine,
    const std::function<void(const verify_report&)>& progress = {});

}  // namespace v1
}  // namespace orderproc

#endif
