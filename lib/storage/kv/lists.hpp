#ifndef ORDERPROC_STORAGE_KV_LISTS_HPP
#define ORDERPROC_STORAGE_KV_LISTS_HPP

// The lists of orders, in each of their sorts.

#include "storage/kv/tables.hpp"

#include <orderproc/repository.hpp>

#include <functional>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace kv {

// Calls visit for the rows of the list in its order, from params.after on, until it says false:
// those that the list shows, and others. visit may move the order away, and must not use the
// tables.
void walk_list(tables& in, const list_params& params,
               const std::function<bool(const list_position& at, order& it)>& visit);

}  // namespace kv
}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
