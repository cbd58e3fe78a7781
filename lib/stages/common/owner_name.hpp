#ifndef ORDERPROC_STAGES_COMMON_OWNER_NAME_HPP
#define ORDERPROC_STAGES_COMMON_OWNER_NAME_HPP

#include <orderproc/runtime.hpp>

#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Who holds a lease: host, process and a random part; at most 64 characters.
std::string make_owner_name(random_source& random);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
