#ifndef ORDERPROC_CORE_LOWER_INTO_HPP
#define ORDERPROC_CORE_LOWER_INTO_HPP

#include <orderproc/command.hpp>

namespace orderproc {
inline namespace v1 {
namespace detail {

// lower(), into a change that may have been used before. Refused, it is to be used no further.
result<void> lower_into(change& out, command&& what, const status_machine& machine, runtime& with,
                        const order_model& model);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
