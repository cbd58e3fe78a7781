#ifndef ORDERPROC_CHANGED_ORDERS_HPP
#define ORDERPROC_CHANGED_ORDERS_HPP

// The orders that have changed since a time, for programs that fetch them now and then.

#include <orderproc/repository.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct changed_params {
    timestamp since;                          // orders whose last change is at that time or later
    std::optional<feed_position> after = {};  // where the page before ended; none: the first page
    // Its statuses, scope, created_from, created_until, id_prefix and limit are used.
    list_params filter = {};
    // Journal entries that a page looks at, at most. The filter may refuse all of them, so that a
    // page with a next one may have fewer orders than the limit, or none. At least 1.
    std::size_t entries_max = 1000;
};
struct changed_page {
    std::vector<order> orders;          // as they are now, in the order of their last changes
    std::optional<feed_position> next;  // none: nothing had changed after these
    feed_position newest;               // what comes after it may not be in what was read
    // `after` is no longer in the journal (see feed_page::reset): begin again with the first page.
    bool reset = false;
};

// A page of them. It walks the journal from the first entry of the time on, which is found by
// halving, and shows the order of each entry that is still the order's last one; so no index by
// the time of the change is needed, and a page costs the same wherever it starts. An order that is
// changed between two pages is shown again, by its new last entry; none is skipped. Deleted orders
// are not shown.
//
// errc::not_supported: the storage has no find_position(). Other errors are those of the storage.
// errc::invalid_argument: entries_max is 0. With a limit of 0 there are no orders and no next page.
ORDERPROC_EXPORT result<changed_page> list_changed(repository_reader& from,
                                                   const changed_params& params);

}  // namespace v1
}  // namespace orderproc

#endif
